using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>
/// One end of a TLS connection without its transport: bytes in, bytes out, never waits. Reading and writing may overlap; each call holds the session's lock.
/// </summary>
internal sealed class OpenSslSession : IOpenSslWire, IDisposable
{
    /// <summary>The version as access logs show it.</summary>
    public const string Tls13 = "TLSv1.3";

    /// <summary>More received bytes are needed.</summary>
    public const int WantsInput = -1;

    /// <summary>The peer or we broke the rules, or the session is disposed of.</summary>
    public const int Failed = -2;

    // What only reading gives rise to (the answer to a key update, a refused renegotiation) goes out with the next write; a peer that wants more of it is hostile.
    private const int MaxUnaskedOutput = 4096;

    private static readonly ConcurrentDictionary<nint, string> CipherNames = new();

    private readonly Lock _gate = new();
    private readonly OpenSslServerContext _context;
    private readonly IOpenSslClientCheck? _check;
    private nint _ssl;
    private bool _isBroken;
    private bool _isShutDown;
    private byte[] _input = [];
    private int _inputStart;
    private int _inputEnd;
    private byte[] _output = [];
    private int _outputLength;

    /// <summary>A server's session.</summary>
    /// <param name="context">The certificate and settings.</param>
    /// <param name="check">Looks at the client's certificate; null where the context asks for none.</param>
    public OpenSslSession(OpenSslServerContext context, IOpenSslClientCheck? check)
    {
        _context = context;
        _check = check;
        _ssl = context.CreateConnection();
    }

    ~OpenSslSession() => LibSsl.FreeConnection(_ssl);

    /// <summary>The transport's end now would cut a record in two.</summary>
    public bool IsInsideRecord
    {
        get
        {
            lock (_gate)
            {
                return _ssl != 0 && (HasInput || LibSsl.HasPending(_ssl) != 0);
            }
        }
    }

    /// <summary>Hands over received bytes: <paramref name="length"/> of an array of the shared pool. Only once the last ones are used up.</summary>
    public void Feed(byte[] rented, int length)
    {
        lock (_gate)
        {
            if (_ssl == 0)
            {
                ArrayPool<byte>.Shared.Return(rented);
                return;
            }

            _input = rented;
            _inputStart = 0;
            _inputEnd = length;
        }
    }

    /// <summary>Goes on with the handshake: 1 when it is over, else <see cref="WantsInput"/> or <see cref="Failed"/>. Look for output in any case.</summary>
    public int Handshake()
    {
        lock (_gate)
        {
            if (_ssl == 0)
            {
                return Failed;
            }

            var (isDone, error) = _check is null ? LibSsl.Handshake(_ssl, this) : LibSsl.Handshake(_ssl, this, _check);
            ReturnInput();
            if (isDone ? !IsPeerConfirmed() : error != LibSsl.ErrorWantRead)
            {
                if (!isDone && _check is not null && LibSsl.FailedForWantOfCertificate())
                {
                    _check.TryGoWithout();
                }

                _isBroken = true;
                return Failed;
            }

            return isDone ? 1 : WantsInput;
        }
    }

    /// <summary>Decrypted bytes, 0 at the peer's close_notify, <see cref="WantsInput"/> or <see cref="Failed"/>.</summary>
    public int Read(Span<byte> buffer)
    {
        lock (_gate)
        {
            if (_ssl == 0)
            {
                return Failed;
            }

            var before = _outputLength;
            var result = LibSsl.Read(_ssl, buffer, this);
            ReturnInput();
            if (_outputLength > before && _outputLength > MaxUnaskedOutput)
            {
                _isBroken = true;
                return Failed;
            }

            switch (result)
            {
                case > 0:
                    return result;
                case -LibSsl.ErrorZeroReturn:
                    return 0;
                case -LibSsl.ErrorWantRead:
                    return WantsInput;
                default:
                    _isBroken = true;
                    return Failed;
            }
        }
    }

    /// <summary>There are decrypted bytes.</summary>
    public bool IsReadable()
    {
        lock (_gate)
        {
            return _ssl == 0 || HasInput || LibSsl.Pending(_ssl) > 0;
        }
    }

    /// <summary>Encrypts all of it; <see cref="TakeOutput"/> has it then. False when the session is over.</summary>
    public bool Write(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            return _ssl != 0 && (data.IsEmpty || LibSsl.Write(_ssl, data, this));
        }
    }

    /// <summary>Says that we send nothing more, once; nothing where the session broke, which an alert has said.</summary>
    public void Shutdown()
    {
        lock (_gate)
        {
            if (_ssl != 0 && !_isBroken && !_isShutDown)
            {
                _isShutDown = true;
                LibSsl.Shutdown(_ssl, this);
            }
        }
    }

    /// <summary>What is to be sent; the array is the caller's, who gives it back to the shared pool. Its length is 0 when there is nothing.</summary>
    public ArraySegment<byte> TakeOutput()
    {
        lock (_gate)
        {
            var taken = new ArraySegment<byte>(_output, 0, _outputLength);
            _output = [];
            _outputLength = 0;
            return taken;
        }
    }

    /// <summary>
    /// What was agreed on in the handshake: ALPN's protocol (empty for none), version, OpenSSL's name of the cipher, whether an earlier session goes on.
    /// </summary>
    public (string Protocol, string Version, string Cipher, bool IsResumed) Describe()
    {
        lock (_gate)
        {
            if (_ssl == 0)
            {
                return ("", "", "", false);
            }

            var chosen = LibSsl.SelectedProtocol(_ssl);
            var protocol = chosen.SequenceEqual("h2"u8) ? "h2" : chosen.SequenceEqual("http/1.1"u8) ? "http/1.1" : Encoding.ASCII.GetString(chosen);
            var cipher = CipherNames.GetOrAdd(LibSsl.CurrentCipher(_ssl), static one => Marshal.PtrToStringAnsi(LibSsl.CipherName(one)) ?? "");
            return (protocol, LibSsl.Version(_ssl) == LibSsl.Tls13 ? Tls13 : "TLSv1.2", cipher, LibSsl.IsResumed(_ssl) == 1);
        }
    }

    /// <summary>The group of the key exchange and the peer's signature by Envoy's names; empty for none.</summary>
    public (string Curve, string Signature) DescribeKeys()
    {
        lock (_gate)
        {
            return _ssl == 0
                ? ("", "")
                : (NegotiatedNames.Group(LibSsl.Group(_ssl)),
                    _check is not null && LibSsl.TryGetPeerSignature(_ssl, out var key, out var hash) ? NegotiatedNames.Signature(key, hash) : "");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_ssl == 0)
            {
                return;
            }

            LibSsl.FreeConnection(_ssl);
            _ssl = 0;
            _inputStart = _inputEnd = 0;
            ReturnInput();
            if (_output.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_output);
                _output = [];
                _outputLength = 0;
            }
        }

        GC.SuppressFinalize(this);
        GC.KeepAlive(_context);
    }

    // What goes on without having been looked at in the handshake, or other than it was looked at, is not relied on.
    private bool IsPeerConfirmed()
    {
        if (_check is null)
        {
            return true;
        }

        if (LibSsl.IsResumed(_ssl) != 1)
        {
            if (!_check.IsSmallEnoughToRemember)
            {
                _context.Forget(_ssl);
            }

            return _check.ConfirmsNew();
        }

        if (_check.ConfirmsResumed(LibSsl.PeerCertificate(_ssl), LibSsl.PeerChain(_ssl), LibSsl.TicketData(_ssl)))
        {
            return true;
        }

        _context.Forget(_ssl);
        return false;
    }

    private bool HasInput => _inputStart < _inputEnd;

    int IOpenSslWire.Take(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _inputEnd - _inputStart);
        _input.AsSpan(_inputStart, count).CopyTo(buffer);
        _inputStart += count;
        return count;
    }

    void IOpenSslWire.Put(ReadOnlySpan<byte> data)
    {
        if (_output.Length - _outputLength < data.Length)
        {
            var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(_outputLength + data.Length, _output.Length == 0 ? 4096 : _output.Length * 2));
            _output.AsSpan(0, _outputLength).CopyTo(bigger);
            if (_output.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_output);
            }

            _output = bigger;
        }

        data.CopyTo(_output.AsSpan(_outputLength));
        _outputLength += data.Length;
    }

    private void ReturnInput()
    {
        if (_inputStart == _inputEnd && _input.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_input);
            _input = [];
            _inputStart = _inputEnd = 0;
        }
    }
}
