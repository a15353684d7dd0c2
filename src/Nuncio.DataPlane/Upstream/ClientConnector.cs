using System.Net;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Tcp;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Upstream;

/// <summary>A connection that speaks HTTP, or why there is none.</summary>
public readonly record struct ClientConnect(HttpClientConnection? Connection, StreamResetReason Error, string Message);

/// <summary>The other end's names, with the statistics of its cluster.</summary>
/// <param name="HostName">The endpoint's; empty for none.</param>
/// <param name="Name">What the request says of TLS; null for nothing.</param>
/// <param name="Metrics">Where handshakes are counted.</param>
internal readonly record struct ConnectNames(string HostName, UpstreamName? Name, ClusterMetrics Metrics);

/// <summary>A connection, or why there is none, with what ALPN chose, empty for nothing.</summary>
internal readonly record struct TransportChoice(TransportConnect Connect, string ApplicationProtocol);

/// <summary>Makes connections that speak HTTP: TCP, TLS where the cluster has it, and the codec that was configured or that ALPN chose.</summary>
public sealed class ClientConnector
{
    private static readonly string[] OfferHttp1 = ["http/1.1"];
    private static readonly string[] OfferHttp2 = ["h2"];
    private static readonly string[] OfferBoth = ["h2", "http/1.1"];

    private static readonly string[] OfferNothing = [];

    // Envoy's happy eyeballs.
    private static readonly TimeSpan NextAddressDelay = TimeSpan.FromMilliseconds(300);

    private readonly TransportConnector _transports;
    private readonly TimeProvider _time;

    /// <summary>A connector.</summary>
    /// <param name="transports">Connects.</param>
    /// <param name="time">Measures handshakes.</param>
    public ClientConnector(TransportConnector transports, TimeProvider time)
    {
        _transports = transports;
        _time = time;
    }

    /// <summary>Connects within the cluster's connect timeout, which includes the TLS handshake as in Envoy.</summary>
    /// <param name="remote">Where to.</param>
    /// <param name="cluster">How.</param>
    /// <param name="codec">What is wanted (a cluster with <see cref="UpstreamProtocol.Auto"/> lets ALPN decide between the versions of HTTP).</param>
    /// <param name="hostName">The endpoint's name; empty for none.</param>
    /// <param name="name">What the request says of TLS; null for nothing.</param>
    /// <param name="metrics">The cluster's statistics.</param>
    /// <param name="cancellationToken">Gives up earlier.</param>
    /// <param name="others">See <see cref="ConnectTransportAsync"/>.</param>
    internal async ValueTask<ClientConnect> ConnectAsync(
        IPEndPoint remote, ClusterModel cluster, UpstreamCodec codec, string hostName, UpstreamName? name, ClusterMetrics metrics,
        CancellationToken cancellationToken = default, IPEndPoint[]? others = null)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var http2 = codec == UpstreamCodec.Http2;
        var offer = codec == UpstreamCodec.Tunnel ? OfferNothing : cluster.Protocol == UpstreamProtocol.Auto ? OfferBoth : http2 ? OfferHttp2 : OfferHttp1;
        var (connect, chosen) = await ConnectTransportAsync(remote, cluster, offer, new ConnectNames(hostName, name, metrics), cancellationToken, others);
        if (connect.Connection == null)
        {
            return new ClientConnect(null, connect.Error, connect.Message);
        }

        if (cluster.Protocol == UpstreamProtocol.Auto)
        {
            http2 = chosen == "h2";
        }

        HttpClientConnection connection = codec == UpstreamCodec.Tunnel ? new TunnelClientConnection(connect.Connection)
            : http2
            ? Http2ClientConnection.Open(connect.Connection, Options2(cluster) with { Metrics = metrics.Http2 }, _time)
            : new Http1ClientConnection(connect.Connection, Options1(cluster));
        return new ClientConnect(connection, StreamResetReason.None, "");
    }

    /// <summary>The same for bytes of any kind: TCP, and TLS where the cluster has it; with what ALPN chose, empty for nothing.</summary>
    /// <param name="remote">Where to.</param>
    /// <param name="cluster">How.</param>
    /// <param name="offer">What ALPN offers.</param>
    /// <param name="names">Of the other end, with the cluster's statistics.</param>
    /// <param name="cancellationToken">Gives up earlier.</param>
    /// <param name="others">
    /// Further addresses of the same endpoint: the next one is tried when one has failed, or has not answered within 300 ms, as Envoy does; the first
    /// connection counts.
    /// </param>
    internal ValueTask<TransportChoice> ConnectTransportAsync(
        IPEndPoint remote, ClusterModel cluster, string[] offer, ConnectNames names, CancellationToken cancellationToken, IPEndPoint[]? others = null) =>
        others is { Length: > 0 }
            ? new ValueTask<TransportChoice>(ConnectFirstAsync([remote, .. others], cluster, offer, names, cancellationToken))
            : ConnectOneAsync(remote, cluster, offer, names, cancellationToken);

    private async Task<TransportChoice> ConnectFirstAsync(
        IPEndPoint[] remotes, ClusterModel cluster, string[] offer, ConnectNames names, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(cluster.Connect.ConnectTimeout, _time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var running = new List<Task<TransportChoice>>(remotes.Length);
        var last = default(TransportChoice);
        var begun = 0;
        do
        {
            Task next = Task.CompletedTask;
            if (begun < remotes.Length && !over.IsCancellationRequested)
            {
                running.Add(ConnectOneAsync(remotes[begun++], cluster, offer, names, over.Token).AsTask());
                next = begun < remotes.Length ? Task.Delay(NextAddressDelay, _time, over.Token) : next;
            }

            var finished = next.IsCompleted ? await Task.WhenAny(running) : await Task.WhenAny([next, .. running]);
            if (finished is Task<TransportChoice> one)
            {
                running.Remove(one);
                last = await one;
            }
        }
        while (last.Connect.Connection == null && (running.Count > 0 || (begun < remotes.Length && !over.IsCancellationRequested)));
        var timedOut = last.Connect.Connection == null && limit.IsCancellationRequested;
        await over.CancelAsync();
        foreach (var late in running)
        {
            _ = CloseAsync(late);
        }

        return timedOut ? last with { Connect = new TransportConnect(null, StreamResetReason.ConnectionTimeout, "") } : last;
    }

    // It lost, and may have come about all the same.
    private static async Task CloseAsync(Task<TransportChoice> late)
    {
        if ((await late).Connect.Connection is { } connection)
        {
            await connection.DisposeAsync();
        }
    }

    private async ValueTask<TransportChoice> ConnectOneAsync(
        IPEndPoint remote, ClusterModel cluster, string[] offer, ConnectNames names, CancellationToken cancellationToken)
    {
        var connect = await _transports.ConnectAsync(remote, cluster.Connect, cancellationToken);
        if (connect.Connection == null || cluster.Transport is not { } transport)
        {
            return new TransportChoice(connect, "");
        }

        using var timeout = new CancellationTokenSource(cluster.Connect.ConnectTimeout, _time);
        using var either = cancellationToken.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken) : null;
        var shaken = await transport.HandshakeAsync(
            connect.Connection, remote, new UpstreamHandshakeOptions(offer, names.HostName, names.Name?.ServerName, names.Name?.SubjectName),
            (either ?? timeout).Token);
        connect = shaken.Connect;
        (connect.Connection == null ? names.Metrics.SslConnectionError : names.Metrics.SslHandshake).Increment();
        if (connect.Connection == null)
        {
            connect = timeout.IsCancellationRequested
                ? new TransportConnect(null, StreamResetReason.ConnectionTimeout, "")
                : new TransportConnect(null, StreamResetReason.ConnectionFailure, connect.Message);
        }

        return new TransportChoice(connect, shaken.ApplicationProtocol);
    }

    // The pool looks after idle connections, and how long and for how many requests one lives.
    private static Http2Options Options2(ClusterModel cluster) => Http2OptionsBinder.Bind(cluster.Http2) with
    {
        MaxHeaderBytes = (int)Math.Min(cluster.MaxResponseHeadersBytes, int.MaxValue / 2),
        MaxHeaderCount = (int)Math.Min(cluster.MaxResponseHeadersCount, int.MaxValue),
        IdleTimeout = null,
    };

    private static Http1ClientOptions Options1(ClusterModel cluster)
    {
        var format = HeaderKeyFormatBinder.Bind(cluster.Http1?.HeaderKeyFormat);
        return new Http1ClientOptions
        {
            MaxHeaderBytes = (int)cluster.MaxResponseHeadersBytes,
            MaxHeaderCount = (int)cluster.MaxResponseHeadersCount,
            EnableTrailers = cluster.Http1?.EnableTrailers ?? false,
            HeaderCase = format.Case,
            PreserveCase = format.Preserves,
            CapitalisesOthers = format.CapitalisesOthers,
        };
    }
}
