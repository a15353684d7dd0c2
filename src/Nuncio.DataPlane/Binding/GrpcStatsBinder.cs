using System.Collections.Frozen;
using Envoy.Extensions.Filters.Http.GrpcStats.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the gRPC statistics filter.</summary>
internal sealed class GrpcStatsBinder(ClusterTable clusters, MetricsRegistry metrics) : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => FilterConfig.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors)
    {
        if (Unpack<FilterConfig>(config, path, errors) is not { } message)
        {
            return null;
        }

        // Counts in filter state are for logs that name them.
        SupportedFields.Check(
            message, path, errors, "individual_method_stats_allowlist", "stats_for_all_methods", "enable_upstream_stats", "replace_dots_in_grpc_service_name");
        var methods = message.IndividualMethodStatsAllowlist?.Services.SelectMany(service => service.MethodNames.Select(method => $"/{service.Name}/{method}"));
        return new GrpcStatsFilter
        {
            Name = name,
            Index = index,
            Metrics = metrics,
            Clusters = clusters,
            AllMethods = message.StatsForAllMethods ?? false,
            Methods = methods?.ToFrozenSet(StringComparer.Ordinal),
            UpstreamStats = message.EnableUpstreamStats,
            ReplaceDots = message.ReplaceDotsInGrpcServiceName,
        };
    }
}
