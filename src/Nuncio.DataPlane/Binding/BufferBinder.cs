using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using BufferV3 = Envoy.Extensions.Filters.Http.Buffer.V3;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the buffer filter.</summary>
public sealed class BufferBinder : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => BufferV3.Buffer.Descriptor.FullName;

    /// <inheritdoc/>
    public override string RouteConfigType => BufferV3.BufferPerRoute.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors) =>
        Unpack<BufferV3.Buffer>(config, path, errors) is { } message && Limit(message, path, errors) is { } limit
            ? new BufferFilter { Name = name, Index = index, MaxBytes = limit } : null;

    /// <inheritdoc/>
    public override object? BindRoute(Any config, string path, BindErrors errors)
    {
        if (Unpack<BufferV3.BufferPerRoute>(config, path, errors) is not { } message)
        {
            return null;
        }

        return message.Disabled ? DisabledFilterConfig.Instance
            : Limit(message.Buffer, BindErrors.Path(path, "buffer"), errors) is { } limit ? new BufferRouteConfig(limit) : null;
    }

    private static long? Limit(BufferV3.Buffer? message, string path, BindErrors errors)
    {
        if (message?.MaxRequestBytes is not > 0)
        {
            errors.Add(BindErrors.Path(path, "max_request_bytes"), "The limit must be above 0.");
            return null;
        }

        return message.MaxRequestBytes;
    }
}
