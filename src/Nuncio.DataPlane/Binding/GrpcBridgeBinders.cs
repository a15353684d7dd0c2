using Envoy.Extensions.Filters.Http.HealthCheck.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using BridgeConfig = Envoy.Extensions.Filters.Http.GrpcHttp1Bridge.V3.Config;
using GrpcWebMessage = Envoy.Extensions.Filters.Http.GrpcWeb.V3.GrpcWeb;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the gRPC-Web filter, which has no settings.</summary>
internal sealed class GrpcWebBinder : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => GrpcWebMessage.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter Bind(string name, int index, Any config, string path, BindErrors errors) => new GrpcWebFilter { Name = name, Index = index };
}

/// <summary>Binds the bridge from HTTP/1.1 to gRPC.</summary>
internal sealed class GrpcHttp1BridgeBinder : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => BridgeConfig.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors)
    {
        if (Unpack<BridgeConfig>(config, path, errors) is not { } message)
        {
            return null;
        }

        SupportedFields.Check(message, path, errors);
        return new GrpcHttp1BridgeFilter { Name = name, Index = index };
    }
}

/// <summary>Binds the health check filter.</summary>
internal sealed class HealthCheckFilterBinder(ClusterTable clusters) : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => HealthCheck.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors)
    {
        if (Unpack<HealthCheck>(config, path, errors) is not { } message)
        {
            return null;
        }

        SupportedFields.Check(message, path, errors, "pass_through_mode", "cluster_min_healthy_percentages", "headers");
        return new HealthCheckFilter
        {
            Name = name,
            Index = index,
            Clusters = clusters,
            PassThrough = message.PassThroughMode ?? false,
            Headers = ValueBinder.Headers(message.Headers, path, "headers", errors),
            Needs = [.. message.ClusterMinHealthyPercentages.Select(need => (need.Key, need.Value.Value))],
        };
    }
}
