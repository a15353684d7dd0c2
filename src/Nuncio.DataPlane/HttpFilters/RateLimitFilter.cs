using System.Text;
using Envoy.Extensions.Common.Ratelimit.V3;
using Envoy.Service.Ratelimit.V3;
using Google.Protobuf.Collections;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.Grpc;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>
/// Asks an external service whether a request is within the limits (envoy.filters.http.ratelimit). Requests without a descriptor are not asked about.
/// </summary>
internal sealed class RateLimitFilter(RateLimitFilterModel model, UpstreamCalls calls, RateLimitStatistics statistics) : HttpFilter
{
    private const int MaxHeaders = 100;
    private const int MaxHeaderBytes = 64 * 1024;

    private static readonly GrpcMethod<RateLimitRequest, RateLimitResponse> ShouldRateLimit = new(
        "envoy.service.ratelimit.v3.RateLimitService", "ShouldRateLimit");
    private static readonly byte[] Path = Encoding.ASCII.GetBytes(ShouldRateLimit.Path);

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        if (exchange.Forward is null || !model.Enabled.Includes(exchange.Random) || !IsOfType(exchange) || Describe(exchange) is not { } request
            || exchange.FindCluster(exchange.ClusterName, calls.Clusters) is not { } cluster)
        {
            return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }

        return AskAsync(exchange, request, cluster);
    }

    /// <inheritdoc/>
    public override void OnResponseHeaders(HttpExchange exchange, HeaderMap headers, bool endStream)
    {
        if (exchange.FilterState[Index] is not HeaderMap added)
        {
            return;
        }

        // What the service says the body is holds for the body that it gave.
        if (exchange.ResponseCodeDetails == LimitedDetails && added.Contains(KnownHeader.ContentType))
        {
            headers.Remove(KnownHeader.ContentType);
        }

        headers.AddAll(added);
        if (exchange.ResponseCodeDetails == LimitedDetails)
        {
            HeaderMutations.Apply(model.LimitedHeaders, headers, exchange);
        }
    }

    private const string LimitedDetails = "request_rate_limited";

    private bool IsOfType(HttpExchange exchange) => model.RequestType == RateLimitRequestType.Both
        || exchange.RequestHeaders.Get(KnownHeader.XEnvoyInternal).SequenceEqual("true"u8) == (model.RequestType == RateLimitRequestType.Internal);

    private RateLimitRequest? Describe(HttpExchange exchange)
    {
        var config = exchange.FindFilterConfig(Name) as RateLimitRouteConfig;
        RateLimitRequest? request = null;
        if (config is { Limits.Count: > 0 })
        {
            Add(config.Limits, exchange, ref request);
        }
        else
        {
            var ofRoute = exchange.Forward!.RateLimits;
            Add(ofRoute, exchange, ref request);
            var use = exchange.Forward.IncludeVirtualHostRateLimits ? RateLimitVirtualHostUse.Include : config?.VirtualHost ?? RateLimitVirtualHostUse.Override;
            if (use == RateLimitVirtualHostUse.Include || (use == RateLimitVirtualHostUse.Override && ofRoute.Count == 0))
            {
                Add(exchange.VirtualHost!.RateLimits, exchange, ref request);
            }
        }

        if (request is not null)
        {
            request.Domain = config is { Domain.Length: > 0 } ? config.Domain : model.Domain;
        }

        return request;
    }

    private void Add(IReadOnlyList<RateLimitModel> limits, HttpExchange exchange, ref RateLimitRequest? request)
    {
        for (var i = 0; i < limits.Count; i++)
        {
            if (limits[i].Stage == model.Stage && Descriptor(limits[i], exchange) is { } descriptor)
            {
                (request ??= new RateLimitRequest()).Descriptors.Add(descriptor);
            }
        }
    }

    private static RateLimitDescriptor? Descriptor(RateLimitModel limit, HttpExchange exchange)
    {
        var descriptor = new RateLimitDescriptor { HitsAddend = limit.HitsAddend };
        for (var i = 0; i < limit.Actions.Count; i++)
        {
            switch (limit.Actions[i].TryMake(exchange, out var key, out var value))
            {
                case RateLimitActionResult.Entry:
                    descriptor.Entries.Add(new RateLimitDescriptor.Types.Entry { Key = key, Value = value });
                    break;
                case RateLimitActionResult.NoDescriptor:
                    return null;
                default:
                    break;
            }
        }

        return descriptor.Entries.Count > 0 ? descriptor : null;
    }

    private async ValueTask<FilterOutcome> AskAsync(HttpExchange exchange, RateLimitRequest request, ClusterState cluster)
    {
        var (response, status) = await GrpcUnary.CallAsync(calls, model.Service, ShouldRateLimit, Path, request, model.Timeout, exchange.Downstream);
        if (status is { Code: GrpcStatusCode.Cancelled, Message: GrpcUnary.ClientGone })
        {
            exchange.Flags |= ResponseFlags.DownstreamConnectionTermination;
            exchange.ResponseCodeDetails = Errors.LocalReplies.DownstreamDisconnectDetails;
            return FilterOutcome.Responded;
        }

        var counters = statistics.OfCluster(cluster.Model.StatName);
        HeaderMap? toResponse = null;
        HeaderMap? toRequest = null;
        if (response is null || response.OverallCode == RateLimitResponse.Types.Code.Unknown
            || !TryRead(response.ResponseHeadersToAdd, ref toResponse) || !TryRead(response.RequestHeadersToAdd, ref toRequest))
        {
            return await FailAsync(exchange, counters);
        }

        if (response.DynamicMetadata is { } metadata)
        {
            exchange.WritableMetadata.Merge(Name, metadata);
        }

        if (model.AddRateLimitHeaders)
        {
            RateLimitHeaders.Add(toResponse ??= new HeaderMap(), response);
        }

        if (response.OverallCode == RateLimitResponse.Types.Code.OverLimit)
        {
            counters.OverLimit.Increment();
            cluster.Metrics.Responses.Count(model.LimitedStatus);
            cluster.Metrics.InternalResponses.Count(model.LimitedStatus);
            if (!model.OmitEnvoyRateLimited)
            {
                (toResponse ??= new HeaderMap()).Set(KnownHeader.XEnvoyRateLimited, "true"u8);
            }

            if (model.Enforced.Includes(exchange.Random))
            {
                return await LimitAsync(exchange, response, toResponse);
            }
        }
        else
        {
            counters.Ok.Increment();
        }

        if (toRequest is not null)
        {
            exchange.RequestHeaders.AddAll(toRequest);
        }

        exchange.FilterState[Index] = toResponse;
        return FilterOutcome.Continue;
    }

    private ValueTask<FilterOutcome> LimitAsync(HttpExchange exchange, RateLimitResponse response, HeaderMap? headers)
    {
        exchange.FilterState[Index] = headers ?? new HeaderMap();
        exchange.Flags |= ResponseFlags.RateLimited;
        HeaderMap? status = null;
        if (model.ResourceExhausted && exchange.IsGrpc)
        {
            status = new HeaderMap();
            status.Add(KnownHeader.GrpcStatus, "8"u8);
        }

        return exchange.RespondAsync(model.LimitedStatus, response.RawBody.Memory, LimitedDetails, status);
    }

    private ValueTask<FilterOutcome> FailAsync(HttpExchange exchange, RateLimitStatistics.Counters counters)
    {
        counters.Error.Increment();
        if (!model.FailureModeDeny)
        {
            counters.FailureModeAllowed.Increment();
            return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }

        exchange.Flags |= ResponseFlags.RateLimitServiceError;
        return exchange.RespondAsync(model.StatusOnError, default, "rate_limiter_error");
    }

    // What a service sends is checked as if a client had sent it; of framing it may say nothing.
    private static bool TryRead(RepeatedField<CoreV3.HeaderValue> from, ref HeaderMap? headers)
    {
        for (var i = 0; i < from.Count; i++)
        {
            var name = Encoding.UTF8.GetBytes(from[i].Key.ToLowerInvariant());
            var value = from[i].RawValue.IsEmpty ? Encoding.UTF8.GetBytes(from[i].Value) : from[i].RawValue.Span;
            if (HeaderValues.IsFraming(name))
            {
                continue;
            }

            headers ??= new HeaderMap();
            if (!HeaderValues.IsName(name) || !HeaderValues.IsValue(value) || headers.Count >= MaxHeaders
                || headers.ByteSize + name.Length + value.Length > MaxHeaderBytes)
            {
                return false;
            }

            headers.Add(name, value);
        }

        return true;
    }
}
