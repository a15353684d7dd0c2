using Envoy.Extensions.Filters.Http.GrpcStats.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Binding;

/// <summary>
/// Binds the gRPC statistics filter. It only counts: requests pass it unchanged, so that not counting by method here is a gap in the numbers and
/// no way around anything.
/// </summary>
public sealed class GrpcStatsBinder : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => FilterConfig.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter Bind(string name, int index, Any config, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        errors.AddPartial(path, "The embedded proxy does not count gRPC requests by method.");
        return new GrpcStatsFilter { Name = name, Index = index };
    }
}
