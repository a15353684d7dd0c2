using System.Buffers.Binary;
using System.Text;

namespace Nuncio.DataPlane.Tls;

/// <summary>What looking at the first bytes of a connection gave.</summary>
public enum ClientHelloOutcome : byte
{
    /// <summary>More bytes are needed.</summary>
    NeedMore,

    /// <summary>It is not TLS.</summary>
    NotTls,

    /// <summary>It is a ClientHello, read whole.</summary>
    Found,

    /// <summary>It is a ClientHello longer than <see cref="ClientHello.MaxLength"/>.</summary>
    TooLarge,
}

/// <summary>What a ClientHello (RFC 8446 section 4.1.2) says that choosing a filter chain needs.</summary>
/// <param name="ServerName">The name of the SNI extension (RFC 6066 section 3) in lower case; empty without.</param>
/// <param name="ApplicationProtocols">The ALPN extension (RFC 7301) in the client's order; empty without.</param>
public sealed record ClientHello(string ServerName, IReadOnlyList<string> ApplicationProtocols)
{
    /// <summary>The longest ClientHello that is read, as Envoy's tls_inspector: 16 KiB.</summary>
    public const int MaxLength = 16 * 1024;

    private const byte HandshakeRecord = 22;
    private const byte ClientHelloMessage = 1;
    private const int ServerNameExtension = 0;
    private const int AlpnExtension = 16;

    /// <summary>Reads a ClientHello from the first bytes of a connection without consuming them; it may span several records.</summary>
    public static ClientHelloOutcome TryParse(ReadOnlySpan<byte> bytes, out ClientHello? hello)
    {
        hello = null;
        if (bytes.Length > 0 && bytes[0] != HandshakeRecord)
            return ClientHelloOutcome.NotTls;
        if (bytes.Length > 1 && bytes[1] != 3)
            return ClientHelloOutcome.NotTls;
        byte[]? gathered = null;
        var length = 0;
        var at = 0;
        while (true)
        {
            if (bytes.Length - at < 5)
                return bytes.Length > MaxLength ? ClientHelloOutcome.TooLarge : ClientHelloOutcome.NeedMore;
            if (bytes[at] != HandshakeRecord)
                return ClientHelloOutcome.NotTls;
            var record = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 3)..]);
            if (record == 0 || record > MaxLength)
                return ClientHelloOutcome.NotTls;
            if (at == 0 && bytes.Length > 5 && bytes[5] != ClientHelloMessage)
                return ClientHelloOutcome.NotTls;
            if (bytes.Length - at - 5 < record)
                return ClientHelloOutcome.NeedMore;
            gathered ??= new byte[Math.Min(bytes.Length, MaxLength + 4)];
            if (length + record > gathered.Length)
                return ClientHelloOutcome.TooLarge;
            bytes.Slice(at + 5, record).CopyTo(gathered.AsSpan(length));
            length += record;
            at += 5 + record;
            ReadOnlySpan<byte> message = gathered.AsSpan(0, length);
            if (length < 4)
                continue;
            var wanted = (message[1] << 16) | (message[2] << 8) | message[3];
            if (wanted > MaxLength)
                return ClientHelloOutcome.TooLarge;
            if (length >= wanted + 4)
                return Read(message.Slice(4, wanted), out hello) ? ClientHelloOutcome.Found : ClientHelloOutcome.NotTls;
        }
    }

    private static bool Read(ReadOnlySpan<byte> body, out ClientHello? hello)
    {
        hello = null;
        var reader = new SpanReader(body);
        // legacy_version, random, session id, cipher suites, compression methods
        if (!reader.Skip(2 + 32) || !reader.TakeVector(1, out _) || !reader.TakeVector(2, out _) || !reader.TakeVector(1, out _))
            return false;
        var serverName = "";
        IReadOnlyList<string> protocols = [];
        if (!reader.IsEmpty)
        {
            if (!reader.TakeVector(2, out var extensions))
                return false;
            var list = new SpanReader(extensions);
            while (!list.IsEmpty)
            {
                if (!list.TakeNumber(out var type) || !list.TakeVector(2, out var content))
                    return false;
                if (type == ServerNameExtension && !ReadServerName(content, out serverName))
                    return false;
                if (type == AlpnExtension && !ReadProtocols(content, out protocols))
                    return false;
            }
        }

        hello = new ClientHello(serverName, protocols);
        return true;
    }

    private static bool ReadServerName(ReadOnlySpan<byte> content, out string serverName)
    {
        serverName = "";
        var reader = new SpanReader(content);
        if (!reader.TakeVector(2, out var names))
            return false;
        var list = new SpanReader(names);
        while (!list.IsEmpty)
        {
            if (!list.TakeByte(out var type) || !list.TakeVector(2, out var name))
                return false;
            if (type == 0 && serverName.Length == 0)
                serverName = Encoding.Latin1.GetString(name).ToLowerInvariant();
        }

        return true;
    }

    private static bool ReadProtocols(ReadOnlySpan<byte> content, out IReadOnlyList<string> protocols)
    {
        var found = new List<string>();
        protocols = found;
        var reader = new SpanReader(content);
        if (!reader.TakeVector(2, out var names))
            return false;
        var list = new SpanReader(names);
        while (!list.IsEmpty)
        {
            if (!list.TakeVector(1, out var name))
                return false;
            found.Add(Encoding.Latin1.GetString(name));
        }

        return true;
    }

    private ref struct SpanReader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _left = bytes;

        public readonly bool IsEmpty => _left.IsEmpty;

        public bool Skip(int count)
        {
            if (_left.Length < count)
                return false;
            _left = _left[count..];
            return true;
        }

        public bool TakeByte(out byte value)
        {
            value = _left.IsEmpty ? (byte)0 : _left[0];
            return Skip(1);
        }

        public bool TakeNumber(out int value)
        {
            value = _left.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(_left);
            return Skip(2);
        }

        public bool TakeVector(int lengthBytes, out ReadOnlySpan<byte> content)
        {
            content = default;
            if (_left.Length < lengthBytes)
                return false;
            var length = lengthBytes == 1 ? _left[0] : BinaryPrimitives.ReadUInt16BigEndian(_left);
            if (_left.Length < lengthBytes + length)
                return false;
            content = _left.Slice(lengthBytes, length);
            _left = _left[(lengthBytes + length)..];
            return true;
        }
    }
}
