using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Telemetry;
using RateLimitV3 = Envoy.Extensions.Filters.Http.Ratelimit.V3;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the ratelimit filter.</summary>
internal sealed class RateLimitFilterBinder(UpstreamCalls calls, MetricsRegistry metrics) : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => RateLimitV3.RateLimit.Descriptor.FullName;

    /// <inheritdoc/>
    public override string RouteConfigType => RateLimitV3.RateLimitPerRoute.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors)
    {
        if (Unpack<RateLimitV3.RateLimit>(config, path, errors) is not { } message)
        {
            return null;
        }

        var before = errors.Count;
        SupportedFields.Check(
            message, path, errors, "domain", "stage", "request_type", "timeout", "failure_mode_deny", "rate_limited_as_resource_exhausted",
            "rate_limit_service", "enable_x_ratelimit_headers", "disable_x_envoy_ratelimited_header", "rate_limited_status", "response_headers_to_add",
            "status_on_error", "stat_prefix", "filter_enabled", "filter_enforced");
        if (message.Domain.Length == 0)
        {
            errors.Add(BindErrors.Path(path, "domain"), "A domain is needed.");
        }

        var type = message.RequestType switch
        {
            "" or "both" => RateLimitRequestType.Both,
            "internal" => RateLimitRequestType.Internal,
            "external" => RateLimitRequestType.External,
            _ => (RateLimitRequestType?)null,
        };
        if (type is null)
        {
            errors.Add(BindErrors.Path(path, "request_type"), "This is neither internal, external nor both.");
        }

        var service = GrpcServiceBinder.Bind(message.RateLimitService?.GrpcService, BindErrors.Path(path, "rate_limit_service.grpc_service"), errors);
        var limited = ExtAuthzBinder.Status(message.RateLimitedStatus, 429, BindErrors.Path(path, "rate_limited_status"), errors);
        var model = new RateLimitFilterModel
        {
            Service = service!,
            Domain = message.Domain,
            Timeout = ValueBinder.Duration(message.Timeout, BindErrors.Path(path, "timeout"), errors) ?? TimeSpan.FromMilliseconds(20),
            Stage = (int)message.Stage,
            RequestType = type ?? default,
            FailureModeDeny = message.FailureModeDeny,
            ResourceExhausted = message.RateLimitedAsResourceExhausted,
            AddRateLimitHeaders = message.EnableXRatelimitHeaders == RateLimitV3.RateLimit.Types.XRateLimitHeadersRFCVersion.DraftVersion03,
            OmitEnvoyRateLimited = message.DisableXEnvoyRatelimitedHeader,
            LimitedStatus = limited < 400 ? 429 : limited,
            StatusOnError = ExtAuthzBinder.Status(message.StatusOnError, 500, BindErrors.Path(path, "status_on_error"), errors),
            LimitedHeaders = ValueBinder.Mutations(message.ResponseHeadersToAdd, [], path, "response_headers_to_add", "", errors),
            Enabled = ValueBinder.Fraction(message.FilterEnabled),
            Enforced = ValueBinder.Fraction(message.FilterEnforced),
            StatPrefix = message.StatPrefix,
        };
        return errors.Count > before
            ? null : new RateLimitFilter(model, calls, new RateLimitStatistics(metrics, message.StatPrefix)) { Name = name, Index = index };
    }

    /// <inheritdoc/>
    public override object? BindRoute(Any config, string path, BindErrors errors)
    {
        if (Unpack<RateLimitV3.RateLimitPerRoute>(config, path, errors) is not { } message)
        {
            return null;
        }

        var use = message.OverrideOption switch
        {
            RateLimitV3.RateLimitPerRoute.Types.OverrideOptions.IncludePolicy => RateLimitVirtualHostUse.Include,
            RateLimitV3.RateLimitPerRoute.Types.OverrideOptions.IgnorePolicy => RateLimitVirtualHostUse.Ignore,
            RateLimitV3.RateLimitPerRoute.Types.OverrideOptions.OverridePolicy => RateLimitVirtualHostUse.Override,
            _ => message.VhRateLimits switch
            {
                RateLimitV3.RateLimitPerRoute.Types.VhRateLimitsOptions.Include => RateLimitVirtualHostUse.Include,
                RateLimitV3.RateLimitPerRoute.Types.VhRateLimitsOptions.Ignore => RateLimitVirtualHostUse.Ignore,
                _ => RateLimitVirtualHostUse.Override,
            },
        };
        return new RateLimitRouteConfig(use, RateLimitBinder.Bind(message.RateLimits, path, errors), message.Domain);
    }
}
