using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Forwarding;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;
using RouterV3 = Envoy.Extensions.Filters.Http.Router.V3;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the router, the last filter of every chain.</summary>
public sealed class RouterBinder(ClusterTable clusters, TimerService timers) : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => RouterV3.Router.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors)
    {
        if (Unpack<RouterV3.Router>(config, path, errors) is not { } message)
        {
            return null;
        }

        // Statistics and tracing of its own change nothing in what is served.
        SupportedFields.Check(message, path, errors, "dynamic_stats", "start_child_span", "suppress_envoy_headers", "respect_expected_rq_timeout");
        return new RouterFilter(
            clusters, timers,
            new RouterOptions { SuppressEnvoyHeaders = message.SuppressEnvoyHeaders, RespectExpectedTimeout = message.RespectExpectedRqTimeout })
        {
            Name = name,
            Index = index,
        };
    }
}
