using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tls;

/// <summary>TLS by SslStream: towards upstreams, and wherever OpenSSL cannot be used directly.</summary>
public sealed class SslStreamTransportConnection : TlsTransportConnection
{
    private readonly TransportConnection _transport;
    private readonly SslStream _stream;

    internal SslStreamTransportConnection(TransportConnection transport, SslStream stream)
    {
        _transport = transport;
        _stream = stream;
    }

    /// <inheritdoc/>
    public override IPEndPoint RemoteEndPoint => _transport.RemoteEndPoint;

    /// <inheritdoc/>
    public override IPEndPoint LocalEndPoint => _transport.LocalEndPoint;

    /// <inheritdoc/>
    public override bool IsEndedByPeer => base.IsEndedByPeer || _transport.IsEndedByPeer;

    /// <inheritdoc/>
    public override string ApplicationProtocol => _stream.NegotiatedApplicationProtocol.ToString();

    /// <inheritdoc/>
    public override string Version => _stream.SslProtocol switch
    {
        System.Security.Authentication.SslProtocols.Tls13 => "TLSv1.3",
        System.Security.Authentication.SslProtocols.Tls12 => "TLSv1.2",
        var old => old.ToString() == "Tls11" ? "TLSv1.1" : "TLSv1",
    };

    /// <inheritdoc/>
    public override string Cipher => CipherSuiteNames.NameOf(_stream.NegotiatedCipherSuite);

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            var read = await _stream.ReadAsync(buffer);
            if (read == 0 && !buffer.IsEmpty)
            {
                NoteEndByPeer();
            }

            return read;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            return -1;
        }
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    public override async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> buffer)
    {
        try
        {
            await _stream.WriteAsync(buffer);
            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask ShutdownWriteAsync()
    {
        try
        {
            await _stream.ShutdownAsync();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection is gone already; its end says the same.
        }

        await _transport.ShutdownWriteAsync();
    }

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
        await _transport.DisposeAsync();
        await _stream.DisposeAsync();
    }
}
