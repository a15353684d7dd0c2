using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Forwarding;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Overload;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tracing;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// The request path of one connection manager, as one list: check, clean, route, filters, router, log. Shared by all of its connections.
/// </summary>
public sealed partial class HttpPipeline : HttpStreamProcessor
{
    private readonly RouteConfigurationState _routes;
    private readonly HttpConnectionManagerMetrics? _metrics;
    private readonly ILogger _logger;
    private readonly OverloadState _overload;

    /// <summary>Of a bound connection manager.</summary>
    /// <param name="model">How requests are treated.</param>
    /// <param name="routes">The routes; inline ones are put there by the caller.</param>
    /// <param name="clock">Of all timestamps.</param>
    /// <param name="metrics">Statistics; null for none.</param>
    /// <param name="logger">For defects of ours.</param>
    /// <param name="overload">Whether new work is refused; null for never.</param>
    public HttpPipeline(
        HttpConnectionManagerModel model, RouteConfigurationState routes, TimeProvider clock, HttpConnectionManagerMetrics? metrics, ILogger logger,
        OverloadState? overload = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
        _routes = routes;
        _metrics = metrics;
        _logger = logger;
        _overload = overload ?? OverloadState.None;
        Clock = clock;
    }

    /// <summary>How requests are treated.</summary>
    public HttpConnectionManagerModel Model { get; }

    /// <summary>What is refused at the moment.</summary>
    internal OverloadState Overload => _overload;

    /// <summary>Where it counts; null for nowhere.</summary>
    internal HttpConnectionManagerMetrics? Metrics => _metrics;

    /// <summary>Headers of Envoy's own (x-envoy-original-path and the like) are left out: the router's suppress_envoy_headers.</summary>
    public bool SuppressEnvoyHeaders => Model.SuppressEnvoyHeaders;

    internal TimeProvider Clock { get; }

    /// <inheritdoc/>
    public override ValueTask ProcessAsync(HttpServerStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return RunAsync(Rent(stream), null);
    }

    /// <inheritdoc/>
    public override ValueTask RejectAsync(HttpServerStream stream, int status, string details)
    {
        ArgumentNullException.ThrowIfNull(stream);

        var text = details == LocalReplies.HeaderTimeoutDetails
            ? "request header timeout" : System.Text.Encoding.ASCII.GetString(Http1ReasonPhrases.Of(status));
        return RunAsync(Rent(stream), new LocalReply(status, details, status == 400 ? ResponseFlags.DownstreamProtocolError : ResponseFlags.None, text));
    }

    /// <inheritdoc/>
    public override void OnUnreadable(HttpServerStream stream, string details)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var exchange = Rent(stream);
        CountBegun(exchange);
        exchange.Flags = ResponseFlags.DownstreamProtocolError;
        exchange.ResponseCodeDetails = details;
        Complete(exchange);
    }

    /// <summary>Whether a filter takes part: its per-route configuration may say that it does not.</summary>
    internal bool IsActive(PipelineExchange exchange, int index) =>
        exchange.FindFilterConfig(Model.Filters[index].Name) is not DisabledFilterConfig;

    private void CountBegun(PipelineExchange exchange)
    {
        _metrics?.DownstreamRequestsTotal.Increment();
        _metrics?.DownstreamRequestsActive.Increment();
        var ofVersion = exchange.Downstream.Version switch
        {
            HttpProtocolVersion.Http3 => _metrics?.DownstreamRequestsHttp3Total,
            HttpProtocolVersion.Http2 => _metrics?.DownstreamRequestsHttp2Total,
            _ => _metrics?.DownstreamRequestsHttp1Total,
        };
        ofVersion?.Increment();
    }

    [AsyncMethodBuilder(typeof(PooledBuilder))]
    private async ValueTask RunAsync(PipelineExchange exchange, LocalReply? rejection)
    {
        CountBegun(exchange);
        try
        {
            if (rejection is null && exchange.Downstream.Version >= HttpProtocolVersion.Http2 && exchange.RequestHeaders.Contains(KnownHeader.Expect))
            {
                await AnswerExpectAsync(exchange);
            }

            var reply = rejection ?? Shed(exchange) ?? Prepare(exchange);
            if (reply is null)
            {
                await RunFiltersAsync(exchange);
            }
            else if (reply == LocalReplies.PathNormalizationRedirect)
            {
                await RedirectToPathAsync(exchange, reply);
            }
            else
            {
                if (exchange.Downstream.Version < HttpProtocolVersion.Http2 && EndsConnection(reply))
                {
                    exchange.Downstream.CloseConnectionAfterResponse();
                }

                await exchange.RespondAsync(reply);
            }
        }
        catch (OutOfMemoryException)
        {
            // Faster than the overload monitor could look: what is open goes on with what there is.
            _metrics?.DownstreamRequestsOverloadClose.Increment();
            await FailAsync(exchange, LocalReplies.Overloaded);
        }
        catch (Exception e)
        {
            LogDefect(e);
            await FailAsync(exchange, LocalReplies.InternalError);
        }

        Complete(exchange);
    }

    // Before anything is done for the request: that is what refusing it is for.
    private LocalReply? Shed(PipelineExchange exchange)
    {
        if (_overload.DisablesKeepAlive && exchange.Downstream.Version < HttpProtocolVersion.Http2)
        {
            _metrics?.DownstreamConnectionsOverloadDisableKeepAlive.Increment();
            exchange.Downstream.CloseConnectionAfterResponse();
        }

        if (!_overload.RefusesRequests)
        {
            return null;
        }

        _metrics?.DownstreamRequestsOverloadClose.Increment();
        return LocalReplies.Overloaded;
    }

    // Over HTTP/1.1 the codec has done it. Envoy answers before it knows what becomes of the request, and the upstream never sees the expectation.
    private async ValueTask AnswerExpectAsync(PipelineExchange exchange)
    {
        if (Model.Proxy100Continue || !System.Text.Ascii.EqualsIgnoreCase(exchange.RequestHeaders.Get(KnownHeader.Expect), "100-continue"u8))
        {
            return;
        }

        exchange.RequestHeaders.Remove(KnownHeader.Expect);
        _metrics?.CountResponse(100, exchange.Downstream.Connection.HttpMetrics);
        await exchange.Downstream.WriteHeadersAsync(new HeaderMap { Status = 100 }, endStream: false);
    }

    // Of a client that sends such a head, the next one is not waited for; Envoy closes as well.
    private static bool EndsConnection(LocalReply reply) =>
        reply == LocalReplies.MissingHost || reply == LocalReplies.InvalidAuthority || reply == LocalReplies.PathNormalizationFailed
        || reply == LocalReplies.ConnectionHeaderRejected;

    // What is done before any filter sees the request; null, or why it goes no further.
    private LocalReply? Prepare(PipelineExchange exchange)
    {
        var stream = exchange.Downstream;
        var headers = stream.RequestHeaders;
        ExtendedConnect.ToUpgrade(headers);
        if (RequestChecks.Check(headers) is { } bad)
        {
            return bad;
        }

        switch (PathNormalizer.Normalize(headers, Model.PathNormalization))
        {
            case PathNormalizationResult.Reject:
                _metrics?.DownstreamRequestsFailedPathNormalization.Increment();
                return LocalReplies.PathNormalizationFailed;
            case PathNormalizationResult.Redirect when exchange.IsGrpc:
                return LocalReplies.PathNormalizationFailed;
            case PathNormalizationResult.Redirect:
                _metrics?.DownstreamRequestsRedirectedWithNormalizedPath.Increment();
                return LocalReplies.PathNormalizationRedirect;
        }

        HostNormalizer.Normalize(headers, Model.HostNormalization, stream.Connection.LocalAddress.Port);
        var isUpgrade = ConnectionHeaders.IsUpgrade(headers);
        if (stream.Version < HttpProtocolVersion.Http2 && !ConnectionHeaders.RemoveNominated(headers))
        {
            return LocalReplies.ConnectionHeaderRejected;
        }

        var routes = _routes.Current;
        exchange.SetRoutes(routes);
        var isConnect = headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8);
        exchange.SetClient(RequestSanitizer.Sanitize(stream, Model, routes, isUpgrade), isUpgrade || isConnect);
        exchange.ChooseRoute();
        if (Model.Tracing is { } tracing)
        {
            exchange.Trace = RequestTrace.Start(tracing, exchange);
        }

        if (exchange.IsUpgrade && exchange.Route is not null && !Upgrades.IsAllowed(headers, isConnect, exchange.Forward, Model))
        {
            _metrics?.DownstreamRequestsWsOnNonWsRoute.Increment();
            return LocalReplies.UpgradeFailed;
        }

        return null;
    }

    [AsyncMethodBuilder(typeof(PooledBuilder))]
    private async ValueTask RunFiltersAsync(PipelineExchange exchange)
    {
        var filters = Model.Filters;
        for (var i = 0; i < filters.Count; i++)
        {
            var filter = filters[i];
            switch (exchange.FindFilterConfig(filter.Name))
            {
                case DisabledFilterConfig:
                    continue;
                case UnboundFilterConfig:
                    await exchange.RespondAsync(LocalReplies.FilterNotSupported);
                    return;
            }

            if (i == filters.Count - 1 && exchange.Forward is null)
            {
                await RespondInsteadOfRouterAsync(exchange);
                return;
            }

            if (i == filters.Count - 1)
            {
                _metrics?.RequestsTotal.Increment();
            }

            if (await filter.OnRequestAsync(exchange) == FilterOutcome.Responded)
            {
                return;
            }
        }

        // The last filter, the router, always answers.
        if (!exchange.Downstream.ResponseStarted)
        {
            await exchange.RespondAsync(LocalReplies.FilterNotSupported);
        }
    }

    // The router's part where there is nothing to forward to.
    private ValueTask<FilterOutcome> RespondInsteadOfRouterAsync(PipelineExchange exchange)
    {
        _metrics?.RequestsTotal.Increment();
        if (exchange.Route is null)
        {
            _metrics?.NoRoute.Increment();
            return exchange.RespondAsync(LocalReplies.RouteNotFound);
        }

        _metrics?.RequestsDirectResponse.Increment();

        return exchange.RespondFromRouteAsync();
    }

    private static async ValueTask RedirectToPathAsync(PipelineExchange exchange, LocalReply reply)
    {
        var headers = new HeaderMap();
        headers.Add(KnownHeader.Location, exchange.RequestHeaders.Get(KnownHeader.Path));
        await exchange.RespondAsync(reply, headers);
    }

    private async ValueTask FailAsync(PipelineExchange exchange, LocalReply reply)
    {
        try
        {
            if (exchange.Downstream.ResponseStarted)
            {
                exchange.Downstream.Reset(StreamResetReason.LocalReset);
            }
            else
            {
                await exchange.RespondAsync(reply);
            }
        }
        catch (Exception e)
        {
            LogDefect(e);
            exchange.Downstream.Reset(StreamResetReason.LocalReset);
        }
    }

    /// <summary>A tunnel has been opened; it ends with its exchange.</summary>
    internal void CountUpgrade(PipelineExchange exchange)
    {
        if (_metrics is { } metrics && !exchange.CountsUpgrade)
        {
            exchange.CountsUpgrade = true;
            metrics.DownstreamConnectionsUpgradesTotal.Increment();
            metrics.DownstreamConnectionsUpgradesActive.Increment();
        }
    }

    private void Complete(PipelineExchange exchange)
    {
        if (exchange.Kept > 0)
        {
            _overload.Release(exchange.Kept);
            exchange.Kept = 0;
        }

        if (exchange.CountsUpgrade)
        {
            _metrics?.DownstreamConnectionsUpgradesActive.Decrement();
        }

        exchange.End();
        exchange.Downstream.OnAborted(null);
        if ((exchange.Flags & ResponseFlags.DownstreamConnectionTermination) != 0 && exchange.Downstream.Version < HttpProtocolVersion.Http2)
        {
            exchange.Downstream.Connection.EndedInRequest = true;
        }

        if (!exchange.Downstream.ResponseEnded && exchange.Flags == ResponseFlags.None)
        {
            exchange.Flags = ResponseFlags.DownstreamConnectionTermination;
            if (exchange.ResponseCodeDetails.Length == 0)
            {
                exchange.ResponseCodeDetails = LocalReplies.DownstreamDisconnectDetails;
            }
        }

        try
        {
            for (var i = 0; i < Model.Filters.Count; i++)
            {
                Model.Filters[i].OnComplete(exchange);
            }

            exchange.Trace?.End(exchange);
            if (exchange.Upstream.Cluster.Length == 0 && exchange.ClusterName.Length > 0 && Model.AccessLogs.Count > 0)
            {
                // A filter has answered; where the request would have gone is known all the same.
                exchange.Upstream.Cluster = FindCluster(exchange)?.Model.StatName ?? "";
            }

            Log(exchange);
        }
        catch (Exception e)
        {
            LogDefect(e);
        }

        if (_metrics is { } metrics)
        {
            metrics.DownstreamRequestsActive.Decrement();
            if (exchange.Flags != ResponseFlags.None || exchange.ResponseStatus is 404 or 408 or 413 or 504
                || ReferenceEquals(exchange.ResponseCodeDetails, LocalReplies.MaxStreamDuration.Details))
            {
                CountFailure(metrics, exchange);
            }

            metrics.DownstreamRequestsTime.Record(exchange.ElapsedMilliseconds);
            if (exchange.ResponseStatus > 0 && !exchange.IsHealthCheck)
            {
                metrics.CountResponse(exchange.ResponseStatus, exchange.Downstream.Connection.HttpMetrics);
            }

            if ((exchange.Flags & (ResponseFlags.DownstreamConnectionTermination | ResponseFlags.DownstreamRemoteReset)) != 0
                || ((exchange.Flags & ResponseFlags.DownstreamProtocolError) != 0
                    && exchange.Downstream.Version >= HttpProtocolVersion.Http2 && exchange.ResponseStatus == 0))
            {
                metrics.DownstreamRequestsReceivedReset.Increment();
            }
        }

        Return(exchange);
    }

    private ClusterState? FindCluster(PipelineExchange exchange) =>
        Model.Filters is [.., RouterFilter router] && exchange.Forward is not null ? exchange.FindCluster(exchange.ClusterName, router.Clusters) : null;

    private static void CountFailure(HttpConnectionManagerMetrics metrics, PipelineExchange exchange)
    {
        if (exchange.Downstream.ResponseStarted && !exchange.Downstream.ResponseEnded
            && exchange.ResponseCodeDetails.StartsWith("upstream_reset_after", StringComparison.Ordinal))
        {
            metrics.DownstreamRequestsSentReset.Increment();
        }

        if ((exchange.Flags & ResponseFlags.StreamIdleTimeout) != 0)
        {
            metrics.DownstreamRequestsIdleTimeout.Increment();
        }
        else if (ReferenceEquals(exchange.ResponseCodeDetails, LocalReplies.MaxStreamDuration.Details))
        {
            metrics.DownstreamRequestsMaxDurationReached.Increment();
        }
        else if (ReferenceEquals(exchange.ResponseCodeDetails, LocalReplies.RequestTimeout.Details))
        {
            metrics.DownstreamRequestsTimeout.Increment();
        }
        else if ((exchange.Flags & ResponseFlags.NoClusterFound) != 0)
        {
            metrics.NoCluster.Increment();
        }
        else if (ReferenceEquals(exchange.ResponseCodeDetails, LocalReplies.PayloadTooLarge.Details))
        {
            metrics.DownstreamRequestsTooLarge.Increment();
        }
        else if (ReferenceEquals(exchange.ResponseCodeDetails, LocalReplies.AbsolutePath.Details))
        {
            metrics.DownstreamRequestsNonRelativePath.Increment();
        }
        else if (exchange.ResponseCodeDetails == LocalReplies.HeaderTimeoutDetails)
        {
            metrics.DownstreamRequestsHeaderTimeout.Increment();
        }
    }

    private void Log(PipelineExchange exchange)
    {
        var logs = Model.AccessLogs;
        for (var i = 0; i < logs.Count; i++)
        {
            var log = logs[i];
            if (log.Filter is null || log.Filter.Includes(exchange))
            {
                log.Write(exchange);
            }
        }
    }

    private PipelineExchange Rent(HttpServerStream stream)
    {
        var exchange = PipelineExchangePool.Rent();
        exchange.Begin(this, stream);
        return exchange;
    }

    private static void Return(PipelineExchange exchange)
    {
        exchange.Reset();
        PipelineExchangePool.Return(exchange);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A request failed by a defect of the proxy")]
    private partial void LogDefect(Exception exception);
}
