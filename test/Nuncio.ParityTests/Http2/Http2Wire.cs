using System.Buffers.Binary;
using System.Text;

namespace Nuncio.ParityTests.Http2;

/// <summary>One frame (RFC 9113, 4.1), with its header block read where it has one.</summary>
internal sealed record WireFrame(byte Type, byte Flags, int Stream, byte[] Payload)
{
    public const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8, Continuation = 9;

    public IReadOnlyList<(string Name, string Value)> Block { get; init; } = [];

    public bool EndStream => Type is Data or Headers && (Flags & 1) != 0;

    /// <summary>The error code of RST_STREAM or GOAWAY.</summary>
    public uint Code => BinaryPrimitives.ReadUInt32BigEndian(Payload.AsSpan(Type == GoAway ? 4 : 0));
}

/// <summary>Either side of an HTTP/2 connection of a test: frames as they stand, no opinion on any.</summary>
internal sealed class Http2Wire(Stream stream)
{
    public const string Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HeaderBlock _blocks = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Lock _gate = new();
    private readonly Dictionary<int, long> _windows = new() { [0] = 65535 };
    private long _initialWindow = 65535;

    public static byte[] Frame(byte type, byte flags, int streamId, params ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, ((uint)payload.Length << 8) | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    public static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    /// <summary>Settings that let the other side send as much as it likes: a window of 1 GiB.</summary>
    public static byte[] OpenSettings { get; } = [0, 4, .. Number(1 << 30)];

    public async Task WriteAsync(params byte[] bytes)
    {
        await _writing.WaitAsync();
        try
        {
            await stream.WriteAsync(bytes);
            await stream.FlushAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    public Task WriteAsync(byte type, byte flags, int streamId, params byte[] payload) => WriteAsync(Frame(type, flags, streamId, payload));

    /// <summary>The client's preface and settings, and a window for the connection.</summary>
    public Task StartClientAsync() => WriteAsync(
        [.. Encoding.ASCII.GetBytes(Preface), .. Frame(WireFrame.Settings, 0, 0, OpenSettings), .. Frame(WireFrame.WindowUpdate, 0, 0, Number(1 << 29))]);

    public Task WriteHeadersAsync(int streamId, IEnumerable<(string Name, string Value)> headers, bool end) =>
        WriteAsync(WireFrame.Headers, (byte)(end ? 5 : 4), streamId, HeaderBlock.Write(headers));

    /// <summary>Sends data as the other side's windows let it; somebody has to read meanwhile.</summary>
    public async Task WriteDataAsync(int streamId, byte[] data, bool end)
    {
        var at = 0;
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        do
        {
            var size = Take(streamId, Math.Min(data.Length - at, 16384));
            if (size < 0)
            {
                if (System.Diagnostics.Stopwatch.GetElapsedTime(begun) > Until.Limit) throw new IOException("the window does not open");
                await Task.Delay(5);
                continue;
            }

            await WriteAsync(WireFrame.Data, (byte)(end && at + size == data.Length ? 1 : 0), streamId, data[at..(at + size)]);
            at += size;
        }
        while (at < data.Length);
    }

    /// <summary>The next frame, with SETTINGS and PING answered; null at the end of the connection.</summary>
    public async Task<WireFrame?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (await ReadRawAsync(cancellation) is not { } frame) return null;
            Note(frame);
            if (frame.Type == WireFrame.Settings && (frame.Flags & 1) == 0) await WriteAsync(WireFrame.Settings, 1, 0);
            if (frame.Type == WireFrame.Ping && (frame.Flags & 1) == 0) await WriteAsync(WireFrame.Ping, 1, 0, frame.Payload);
            if (frame.Type != WireFrame.Headers) return frame;
            var block = new List<byte>(frame.Payload);
            for (var last = frame; (last.Flags & 4) == 0;)
            {
                last = await ReadRawAsync(cancellation) ?? throw new EndOfStreamException("in a header block");
                block.AddRange(last.Payload);
            }

            return frame with { Block = _blocks.Read([.. block]) };
        }
    }

    // How much may be sent; less than nothing while it is nothing.
    private int Take(int streamId, int wanted)
    {
        lock (_gate)
        {
            _windows.TryAdd(streamId, _initialWindow);
            var size = (int)Math.Min(wanted, Math.Min(_windows[0], _windows[streamId]));
            if (size <= 0 && wanted > 0) return -1;
            _windows[0] -= size;
            _windows[streamId] -= size;
            return size;
        }
    }

    private void Note(WireFrame frame)
    {
        lock (_gate)
        {
            if (frame.Type == WireFrame.WindowUpdate)
            {
                _windows.TryAdd(frame.Stream, _initialWindow);
                _windows[frame.Stream] += BinaryPrimitives.ReadUInt32BigEndian(frame.Payload);
            }

            for (var at = 0; frame.Type == WireFrame.Settings && at < frame.Payload.Length; at += 6)
            {
                if (frame.Payload[at + 1] != 4) continue;
                var window = BinaryPrimitives.ReadUInt32BigEndian(frame.Payload.AsSpan(at + 2));
                foreach (var stream in _windows.Keys.Where(key => key != 0).ToArray()) _windows[stream] += window - _initialWindow;
                _initialWindow = window;
            }
        }
    }

    private async Task<WireFrame?> ReadRawAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        var head = new byte[9];
        if (await stream.ReadAtLeastAsync(head, 9, throwOnEndOfStream: false, limit.Token) < 9) return null;
        var payload = new byte[BinaryPrimitives.ReadUInt32BigEndian(head) >> 8];
        await stream.ReadExactlyAsync(payload, limit.Token);
        return new WireFrame(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
    }
}
