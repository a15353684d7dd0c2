using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tls;

/// <summary>TLS over another transport, after its handshake.</summary>
public sealed class TlsTransportConnection : TransportConnection
{
    private readonly TransportConnection _transport;
    private readonly SslStream _stream;

    internal TlsTransportConnection(TransportConnection transport, SslStream stream)
    {
        _transport = transport;
        _stream = stream;
    }

    /// <inheritdoc/>
    public override IPEndPoint RemoteEndPoint => _transport.RemoteEndPoint;

    /// <inheritdoc/>
    public override IPEndPoint LocalEndPoint => _transport.LocalEndPoint;

    /// <summary>What ALPN chose; empty for none.</summary>
    public string ApplicationProtocol => _stream.NegotiatedApplicationProtocol.ToString();

    /// <summary>For instance <c>TLSv1.3</c>.</summary>
    public string Version => _stream.SslProtocol switch
    {
        System.Security.Authentication.SslProtocols.Tls13 => "TLSv1.3",
        System.Security.Authentication.SslProtocols.Tls12 => "TLSv1.2",
        var old => old.ToString() == "Tls11" ? "TLSv1.1" : "TLSv1",
    };

    /// <summary>The negotiated suite by OpenSSL's name.</summary>
    public string Cipher => CipherSuiteNames.NameOf(_stream.NegotiatedCipherSuite);

    /// <summary>The peer's certificate; null when it sent none.</summary>
    public X509Certificate2? PeerCertificate { get; internal set; }

    /// <summary>The peer's chain, leaf first; null when it sent none.</summary>
    public IReadOnlyList<X509Certificate2>? PeerChain { get; internal set; }

    /// <summary>The peer's certificate was verified against a CA.</summary>
    public bool IsPeerValidated { get; internal set; }

    /// <summary>Our certificate.</summary>
    public X509Certificate2? LocalCertificate { get; internal set; }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await _stream.ReadAsync(buffer);
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
    public override void Abort() => _transport.Abort();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _transport.DisposeAsync();
        await _stream.DisposeAsync();
    }
}
