using System.Buffers;
using System.Net;
using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Transport.Epoll;

namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>
/// TLS over another transport by OpenSSL itself. SslStream does the same by the same library with a third more work per handshake, most of it around the
/// library: state machines, exceptions for connections that end, copies.
/// </summary>
internal sealed class OpenSslTransportConnection : TlsTransportConnection
{
    // What is waited with inside a handshake or a record; more while more comes at once.
    private const int SmallInput = 4096;
    private const int LargeInput = 32768;

    private enum HandshakeOutcome
    {
        Done,

        // Somebody broke the rules, or did not present what was asked for.
        Failed,

        // The connection is gone.
        Ended,
    }

    private readonly TransportConnection _transport;
    private readonly OpenSslSession _session;
    private int _inputSize = SmallInput;
    private int _writing;
    private bool _isLastWrite;
    private string _protocol = "";
    private string _version = "";
    private string _cipher = "";
    private string _curve = "";
    private string _signature = "";

    private OpenSslTransportConnection(TransportConnection transport, OpenSslSession session)
    {
        _transport = transport;
        _session = session;
    }

    /// <inheritdoc/>
    public override IPEndPoint RemoteEndPoint => _transport.RemoteEndPoint;

    /// <inheritdoc/>
    public override IPEndPoint LocalEndPoint => _transport.LocalEndPoint;

    /// <inheritdoc/>
    public override bool IsEndedByPeer => base.IsEndedByPeer || _transport.IsEndedByPeer;

    /// <inheritdoc/>
    public override string ApplicationProtocol => _protocol;

    /// <inheritdoc/>
    public override string Version => _version;

    /// <inheritdoc/>
    public override string Cipher => _cipher;

    /// <inheritdoc/>
    public override string Curve => _curve;

    /// <inheritdoc/>
    public override string PeerSignature => _signature;

    // Those who are let in already come first: the answer to a ClientHello takes as long as dozens of requests do. A client that has meanwhile hung up
    // cannot finish the handshake any more, and gets none.
    private static LoopTurn TurnOfNewcomer => LoopTurn.Next;

    /// <summary>Does the server's part of the handshake. Where it fails there is no connection, and who called closes the transport.</summary>
    /// <param name="transport">The connection; owned by the result.</param>
    /// <param name="prefix">Bytes read from it already; copied.</param>
    /// <param name="context">The certificate and settings.</param>
    /// <param name="check">Looks at the client's certificate; null where the context asks for none.</param>
    /// <returns>The connection, and without one whether it ended, rather than that somebody broke the rules.</returns>
    public static async ValueTask<(OpenSslTransportConnection? Connection, bool HasEnded)> AcceptAsync(
        TransportConnection transport, ReadOnlyMemory<byte> prefix, OpenSslServerContext context, IOpenSslClientCheck? check)
    {
        if (!prefix.IsEmpty)
        {
            await TurnOfNewcomer;
            if (transport.HasPeerHungUp)
            {
                return (null, true);
            }
        }

        var connection = new OpenSslTransportConnection(transport, new OpenSslSession(context, check));
        if (!prefix.IsEmpty)
        {
            var input = ArrayPool<byte>.Shared.Rent(prefix.Length);
            prefix.CopyTo(input);
            connection._session.Feed(input, prefix.Length);
        }

        var outcome = await connection.HandshakeAsync(isUnheard: prefix.IsEmpty);
        if (outcome == HandshakeOutcome.Done)
        {
            return (connection, false);
        }

        connection._session.Dispose();
        return (null, outcome == HandshakeOutcome.Ended);
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return _session.IsReadable() ? new ValueTask<int>(0) : _transport.ReadAsync(buffer);
        }

        var read = _session.Read(buffer.Span);
        return read == OpenSslSession.WantsInput ? ReadMoreAsync(buffer) : new ValueTask<int>(Noted(read));
    }

    /// <inheritdoc/>
    public override ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> buffer)
    {
        if (!TryBeginWrite())
        {
            return new ValueTask<bool>(false);
        }

        var isEncrypted = _session.Write(buffer.Span);
        if (_isLastWrite)
        {
            NoteEndByUs();
            _session.Shutdown();
        }

        var output = isEncrypted ? _session.TakeOutput() : default;
        if (output.Count == 0)
        {
            EndWrite();
            return new ValueTask<bool>(isEncrypted);
        }

        var write = _transport.WriteAsync(output);
        if (!write.IsCompleted)
        {
            return FinishWriteAsync(write, output.Array!);
        }

        var written = write.Result;
        ArrayPool<byte>.Shared.Return(output.Array!);
        EndWrite();
        return new ValueTask<bool>(written);
    }

    /// <inheritdoc/>
    public override async ValueTask ShutdownWriteAsync()
    {
        if (TryBeginWrite())
        {
            _session.Shutdown();
            await FlushAsync();
            EndWrite();
        }

        await _transport.ShutdownWriteAsync();
    }

    /// <inheritdoc/>
    public override void EndWithNextWrite() => _isLastWrite = true;

    /// <inheritdoc/>
    public override void NoteEndByUs()
    {
        base.NoteEndByUs();
        _transport.NoteEndByUs();
    }

    /// <inheritdoc/>
    public override void Abort() => _transport.Abort();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        NoteEndByUs();
        if (!TryBeginWrite())
        {
            await _transport.DisposeAsync();
            _session.Dispose();
            return;
        }

        // RFC 8446 section 6.1: without it the client could not tell the end from a cut. Who takes nothing more is not waited for.
        _session.Shutdown();
        var output = _session.TakeOutput();
        var written = output.Count > 0 ? _transport.WriteAsync(output) : new ValueTask<bool>(true);
        await _transport.DisposeAsync();
        _ = await written;
        if (output.Count > 0)
        {
            ArrayPool<byte>.Shared.Return(output.Array!);
        }

        _session.Dispose();
    }

    private async ValueTask<HandshakeOutcome> HandshakeAsync(bool isUnheard)
    {
        while (true)
        {
            var result = _session.Handshake();
            if (result == 1)
            {
                (_protocol, _version, _cipher, IsResumed) = _session.Describe();
                (_curve, _signature) = _session.DescribeKeys();

                // In TLS 1.3 only a session ticket is left to say, which leaves with the first answer; before, the client waits for our Finished.
                return _version == OpenSslSession.Tls13 || await FlushAsync() ? HandshakeOutcome.Done : HandshakeOutcome.Ended;
            }

            // An alert tells the client what was wrong.
            var isSent = await FlushAsync();
            if (result == OpenSslSession.Failed)
            {
                return HandshakeOutcome.Failed;
            }

            if (!isSent || await ReceiveAsync() <= 0)
            {
                return HandshakeOutcome.Ended;
            }

            if (isUnheard)
            {
                isUnheard = false;
                await TurnOfNewcomer;
                if (_transport.HasPeerHungUp)
                {
                    return HandshakeOutcome.Ended;
                }
            }
        }
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<int> ReadMoreAsync(Memory<byte> buffer)
    {
        int read;
        do
        {
            var received = await ReceiveAsync();
            if (received <= 0)
            {
                // An end without close_notify is an end, as it is for SslStream, unless it cuts a record: lengths and chunks tell what is whole.
                return received == 0 && !_session.IsInsideRecord ? 0 : -1;
            }

            read = _session.Read(buffer.Span);
        }
        while (read == OpenSslSession.WantsInput);
        return Noted(read);
    }

    // A close_notify is the peer's end, and so is what cannot be decrypted.
    private int Noted(int read)
    {
        if (read <= 0)
        {
            NoteEndByPeer();
        }

        return Math.Max(read, -1);
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<int> ReceiveAsync()
    {
        var input = ArrayPool<byte>.Shared.Rent(_inputSize);
        var received = await _transport.ReadAsync(input);
        if (received <= 0)
        {
            ArrayPool<byte>.Shared.Return(input);
            return received;
        }

        _inputSize = received >= SmallInput ? LargeInput : SmallInput;
        _session.Feed(input, received);
        return received;
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<bool> FlushAsync()
    {
        var output = _session.TakeOutput();
        if (output.Count == 0)
        {
            return true;
        }

        var written = await _transport.WriteAsync(output);
        ArrayPool<byte>.Shared.Return(output.Array!);
        return written;
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<bool> FinishWriteAsync(ValueTask<bool> write, byte[] output)
    {
        var written = await write;
        ArrayPool<byte>.Shared.Return(output);
        EndWrite();
        return written;
    }

    // The last write, that of the end, may come from another thread than the others; none comes after it.
    private bool TryBeginWrite() => Interlocked.Exchange(ref _writing, 1) == 0;

    private void EndWrite() => Volatile.Write(ref _writing, 0);
}
