using System.Buffers.Text;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>
/// Asks an external service whether a request may go on (envoy.filters.http.ext_authz), and changes the request or refuses it as the service says.
/// Where the service fails the request is refused, unless it was configured otherwise.
/// </summary>
internal sealed class ExtAuthzFilter : HttpFilter
{
    private readonly ExtAuthzModel _model;
    private readonly UpstreamCalls _calls;
    private readonly ExtAuthzStatistics _statistics;
    private readonly ExtAuthzHttpClient? _http;
    private readonly ExtAuthzGrpcClient? _grpc;

    public ExtAuthzFilter(ExtAuthzModel model, UpstreamCalls calls, ExtAuthzStatistics statistics)
    {
        _model = model;
        _calls = calls;
        _statistics = statistics;
        _http = model.Http is { } http ? new ExtAuthzHttpClient(calls, http, model) : null;
        _grpc = model.Grpc is { } grpc ? new ExtAuthzGrpcClient(calls, grpc, model) : null;
    }

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        // What has no route is answered 404 without a question, as in Envoy: nothing could be let through.
        if (exchange.Route is null)
        {
            return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }

        if (_model.Enabled.Includes(exchange.Random))
        {
            return CheckAsync(exchange);
        }

        _statistics.OfManager(exchange.ConnectionManager.StatPrefix).Disabled.Increment();
        return _model.DenyWhenDisabled ? RefuseAsync(exchange) : new ValueTask<FilterOutcome>(FilterOutcome.Continue);
    }

    /// <inheritdoc/>
    public override void OnResponseHeaders(HttpExchange exchange, HeaderMap headers, bool endStream)
    {
        if (exchange.FilterState[Index] is not ExtAuthzVerdict verdict)
        {
            return;
        }

        for (var i = 0; i < verdict.Headers.Count; i++)
        {
            var (use, name, value) = verdict.Headers[i];
            switch (use)
            {
                case ExtAuthzHeaderUse.AddToResponse:
                    headers.Add(name, value);
                    break;
                case ExtAuthzHeaderUse.SetInResponse:
                    headers.Set(name, value);
                    break;
                case ExtAuthzHeaderUse.AddToResponseIfAbsent when !headers.TryGet(name, out _):
                    headers.Add(name, value);
                    break;
                case ExtAuthzHeaderUse.OverwriteInResponse when headers.TryGet(name, out _):
                    headers.Set(name, value);
                    break;
                default:
                    break;
            }
        }
    }

    private async ValueTask<FilterOutcome> CheckAsync(HttpExchange exchange)
    {
        var route = exchange.FindFilterConfig(Name) as ExtAuthzRouteConfig;
        var settings = route is { DisableBody: true } ? null : route?.Body ?? _model.Body;
        RequestBufferResult? body = null;
        if (settings is not null && !exchange.RequestHasNoBody && !exchange.IsUpgrade)
        {
            if (!settings.AllowPartial && Utf8Parser.TryParse(exchange.RequestHeaders.Get(KnownHeader.ContentLength), out long announced, out _)
                && announced > settings.MaxBytes)
            {
                return await exchange.RespondAsync(LocalReplies.PayloadTooLarge);
            }

            var read = await RequestBuffer.ReadAsync(exchange, settings.MaxBytes, settings.AllowPartial);
            if (read.IsGone)
            {
                return FilterOutcome.Responded;
            }

            if (read.IsTooLarge)
            {
                return await exchange.RespondAsync(LocalReplies.PayloadTooLarge);
            }

            body = read.Length > 0 ? read : null;
        }

        var verdict = _http is not null ? await _http.CheckAsync(exchange, body) : await _grpc!.CheckAsync(exchange, Name, settings, body);
        if (verdict is null)
        {
            exchange.Flags |= ResponseFlags.DownstreamConnectionTermination;
            exchange.ResponseCodeDetails = LocalReplies.DownstreamDisconnectDetails;
            return FilterOutcome.Responded;
        }

        return await FollowAsync(exchange, verdict);
    }

    private ValueTask<FilterOutcome> FollowAsync(HttpExchange exchange, ExtAuthzVerdict verdict)
    {
        var counters = _statistics.OfManager(exchange.ConnectionManager.StatPrefix);
        var cluster = exchange.Forward is null ? null : exchange.FindCluster(exchange.ClusterName, _calls.Clusters);
        var ofCluster = cluster is null ? null : _statistics.OfCluster(cluster.Model.StatName);
        if (_model.TakesMetadata && verdict is { Metadata: { } metadata, Decision: ExtAuthzDecision.Ok or ExtAuthzDecision.Denied })
        {
            exchange.WritableMetadata.Merge(Name, metadata);
        }

        switch (verdict.Decision)
        {
            case ExtAuthzDecision.Ok:
                counters.Ok.Increment();
                ofCluster?.Ok.Increment();
                Change(exchange, verdict);
                return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
            case ExtAuthzDecision.Denied:
                counters.Denied.Increment();
                ofCluster?.Denied.Increment();
                return DenyAsync(exchange, verdict, cluster);
            case ExtAuthzDecision.Invalid:
                counters.Invalid.Increment();
                exchange.Flags |= ResponseFlags.UnauthorizedExternalService;
                return exchange.RespondAsync(500, default, "ext_authz_invalid");
            default:
                counters.Error.Increment();
                ofCluster?.Error.Increment();
                if (!_model.FailureModeAllow)
                {
                    return RefuseAsync(exchange);
                }

                counters.FailureModeAllowed.Increment();
                ofCluster?.FailureModeAllowed.Increment();
                if (_model.FailureModeAllowHeader)
                {
                    exchange.RequestHeaders.Set("x-envoy-auth-failure-mode-allowed"u8, "true"u8);
                }

                return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }
    }

    private void Change(HttpExchange exchange, ExtAuthzVerdict verdict)
    {
        var headers = exchange.RequestHeaders;
        for (var i = 0; i < verdict.Headers.Count; i++)
        {
            var (use, name, value) = verdict.Headers[i];
            if (use == ExtAuthzHeaderUse.SetInRequest)
            {
                headers.Set(name, value);
            }
            else if (use == ExtAuthzHeaderUse.AppendInRequest)
            {
                // Appended to what is there; Envoy leaves it out where nothing is.
                if (headers.TryGet(name, out _))
                {
                    ExtAuthzCheck.AddJoined(headers, KnownHeaders.Find(name), name, value);
                }
            }
        }

        for (var i = 0; i < verdict.Remove.Count; i++)
        {
            headers.Remove(verdict.Remove[i]);
        }

        if (verdict.SetQuery is not null || verdict.RemoveQuery is not null)
        {
            QueryParameters.Change(headers, verdict.SetQuery ?? [], verdict.RemoveQuery ?? []);
        }

        if (verdict.Headers.Count > 0)
        {
            exchange.FilterState[Index] = verdict;
        }

        if (_model.ClearRouteCache && verdict.ChangesRequest)
        {
            exchange.ClearRouteCache();
        }
    }

    private ValueTask<FilterOutcome> DenyAsync(HttpExchange exchange, ExtAuthzVerdict verdict, ClusterState? cluster)
    {
        if (_model.ChargeClusterResponseStats)
        {
            cluster?.Metrics.Responses.Count(verdict.Status);
            cluster?.Metrics.InternalResponses.Count(verdict.Status);
        }

        HeaderMap? headers = null;
        for (var i = 0; i < verdict.Headers.Count; i++)
        {
            (headers ??= new HeaderMap()).Add(verdict.Headers[i].Name, verdict.Headers[i].Value);
        }

        exchange.Flags |= ResponseFlags.UnauthorizedExternalService;
        return exchange.RespondAsync(verdict.Status, verdict.Body, "ext_authz_denied", headers, replaceHeaders: true);
    }

    private ValueTask<FilterOutcome> RefuseAsync(HttpExchange exchange)
    {
        exchange.Flags |= ResponseFlags.UnauthorizedExternalService;
        return exchange.RespondAsync(_model.StatusOnError, default, "ext_authz_error");
    }
}
