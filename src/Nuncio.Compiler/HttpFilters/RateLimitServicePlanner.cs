using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Resolving;
using Nuncio.Compiler.Validation;
using Nuncio.Resources.Getambassador;
using RateLimitFilter = Envoy.Extensions.Filters.Http.Ratelimit.V3.RateLimit;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>The RateLimitService to the ratelimit filter (SPEC 9.4).</summary>
internal static class RateLimitServicePlanner
{
    private const long DefaultTimeoutMs = 20;

    /// <summary>The name of a cluster that does not exist, asked where the service cannot be and its failure must not let requests through.</summary>
    public const string NoCluster = "rate_limit_service_misconfigured";

    /// <summary>The filter; null when nothing is limited.</summary>
    public static RateLimitFilter? Plan(CompilerContext context)
    {
        var services = context.Snapshot.RateLimitServices;
        if (services.Length > 1)
        {
            foreach (var each in services)
            {
                context.Findings.Error(each, FindingCodes.ServiceNotUnique, "", "only one RateLimitService is supported; none is used");
            }
            return services.FirstOrDefault(each => each.Spec.FailureModeDeny == true) is { } strict ? Denying(context, strict.Spec) : null;
        }
        if (services.Length == 0)
        {
            if (!context.Snapshot.InvalidRateLimitDenies) return null;
            var unread = context.Snapshot.Invalid.Where(static key => key.Kind == "RateLimitService").Select(static key => (ResourceKey?)key).FirstOrDefault();
            context.Findings.Error(
                unread, FindingCodes.RateLimitServiceInvalid, "", "as long as it cannot be read, requests with labels are answered 500 (failure_mode_deny)");
            return Denying(context, new RateLimitServiceSpec { Service = "" });
        }

        var service = services[0];
        var spec = service.Spec;
        var ok = true;
        if (spec.ProtocolVersion != "v3") Wrong("spec.protocol_version", "must be v3");
        if (spec.TimeoutMs is < 0 or > ClusterRules.LongestMs) Wrong("spec.timeout_ms", "must not be negative");
        var cluster = context.Clusters.Request(new UpstreamSpec
        {
            Owner = service,
            Namespace = service.Namespace,
            Service = spec.Service,
            Qualify = false,
            Tls = spec.Tls,
            Grpc = true,
            StatsName = spec.StatsName,
        });
        if (ok && cluster is not null) return Filter(context, spec, cluster.Name);
        return spec.FailureModeDeny == true ? Denying(context, spec) : null;

        void Wrong(string field, string message)
        {
            ok = false;
            var effect = spec.FailureModeDeny == true ? "requests with labels are answered 500 (failure_mode_deny)" : "nothing is rate-limited";
            context.Findings.Error(service, FindingCodes.RateLimitServiceInvalid, field, $"{message}; {effect}");
        }
    }

    // Its other settings may be what is wrong with it.
    private static RateLimitFilter Denying(CompilerContext context, RateLimitServiceSpec spec) =>
        Filter(context, spec with { TimeoutMs = null, FailureModeDeny = true }, NoCluster);

    private static RateLimitFilter Filter(CompilerContext context, RateLimitServiceSpec spec, string cluster) => new()
    {
        Domain = spec.Domain is { Length: > 0 } domain ? domain : context.Module.DefaultLabelDomain,
        RequestType = "both",
        Timeout = RouteMessages.Milliseconds(spec.TimeoutMs ?? DefaultTimeoutMs),
        FailureModeDeny = spec.FailureModeDeny ?? false,
        RateLimitedAsResourceExhausted = spec.UseResourceExhaustedCode ?? false,
        RateLimitService = new Envoy.Config.Ratelimit.V3.RateLimitServiceConfig
        {
            GrpcService = new CoreV3.GrpcService { EnvoyGrpc = new CoreV3.GrpcService.Types.EnvoyGrpc { ClusterName = cluster } },
            TransportApiVersion = CoreV3.ApiVersion.V3,
        },
    };
}
