using System.Net;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Upstream;

/// <summary>A connection that speaks HTTP, or why there is none.</summary>
public readonly record struct ClientConnect(HttpClientConnection? Connection, StreamResetReason Error, string Message);

/// <summary>Makes connections that speak HTTP: TCP, TLS where the cluster has it, and the codec that was configured or that ALPN chose.</summary>
public sealed class ClientConnector
{
    private static readonly string[] OfferHttp1 = ["http/1.1"];
    private static readonly string[] OfferHttp2 = ["h2"];
    private static readonly string[] OfferBoth = ["h2", "http/1.1"];

    private readonly TransportConnector _transports;
    private readonly TimeProvider _time;
    private readonly Func<TransportConnection, ClusterModel, HttpClientConnection> _http2;

    /// <summary>A connector.</summary>
    /// <param name="transports">Connects.</param>
    /// <param name="time">Measures handshakes.</param>
    /// <param name="http2">Makes an HTTP/2 connection of a transport.</param>
    public ClientConnector(TransportConnector transports, TimeProvider time, Func<TransportConnection, ClusterModel, HttpClientConnection> http2)
    {
        _transports = transports;
        _time = time;
        _http2 = http2;
    }

    /// <summary>Connects within the cluster's connect timeout, which includes the TLS handshake as in Envoy.</summary>
    /// <param name="remote">Where to.</param>
    /// <param name="cluster">How.</param>
    /// <param name="http2">HTTP/2 is wanted (a cluster with <see cref="UpstreamProtocol.Auto"/> lets ALPN decide).</param>
    public async ValueTask<ClientConnect> ConnectAsync(IPEndPoint remote, ClusterModel cluster, bool http2)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var connect = await _transports.ConnectAsync(remote, cluster.Connect, CancellationToken.None);
        if (connect.Connection == null)
        {
            return new ClientConnect(null, connect.Error, connect.Message);
        }

        if (cluster.Transport is { } transport)
        {
            var offer = cluster.Protocol == UpstreamProtocol.Auto ? OfferBoth : http2 ? OfferHttp2 : OfferHttp1;
            using var timeout = new CancellationTokenSource(cluster.Connect.ConnectTimeout, _time);
            var shaken = await transport.HandshakeAsync(connect.Connection, remote, new UpstreamHandshakeOptions(offer, null), timeout.Token);
            connect = shaken.Connect;
            if (connect.Connection == null)
            {
                return timeout.IsCancellationRequested
                    ? new ClientConnect(null, StreamResetReason.ConnectionTimeout, "")
                    : new ClientConnect(null, StreamResetReason.ConnectionFailure, connect.Message);
            }

            http2 = cluster.Protocol == UpstreamProtocol.Auto ? shaken.ApplicationProtocol == "h2" : http2;
        }
        else if (cluster.Protocol == UpstreamProtocol.Auto)
        {
            http2 = false;
        }

        return new ClientConnect(http2 ? _http2(connect.Connection, cluster) : new Http1ClientConnection(connect.Connection, Http1Options(cluster)), StreamResetReason.None, "");
    }

    private static Http1ClientOptions Http1Options(ClusterModel cluster) => new()
    {
        MaxHeaderBytes = (int)cluster.MaxResponseHeadersBytes,
        MaxHeaderCount = (int)cluster.MaxResponseHeadersCount,
        EnableTrailers = cluster.Http1?.EnableTrailers ?? false,
        HeaderCase = cluster.Http1?.HeaderKeyFormat?.ProperCaseWords != null ? Http1HeaderCase.ProperCaseWords : Http1HeaderCase.Lower,
    };
}
