using System.Collections.Frozen;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Binding;

/// <summary>
/// The HTTP filters that the proxy knows, by the types of their configuration. What it does not know is bound to something that answers 500:
/// a filter is never left out silently.
/// </summary>
public sealed class HttpFilterCatalog
{
    private readonly FrozenDictionary<string, HttpFilterBinder> _byConfig;
    private readonly FrozenDictionary<string, HttpFilterBinder> _byRouteConfig;

    /// <summary>Of these binders.</summary>
    public HttpFilterCatalog(IEnumerable<HttpFilterBinder> binders)
    {
        HttpFilterBinder[] all = [.. binders];
        _byConfig = all.ToFrozenDictionary(binder => binder.ConfigType, StringComparer.Ordinal);
        _byRouteConfig = all.Where(binder => binder.RouteConfigType is not null).ToFrozenDictionary(binder => binder.RouteConfigType!, StringComparer.Ordinal);
    }

    /// <summary>Binds a filter of a connection manager; null with an error, or where it is disabled for good.</summary>
    public HttpFilter? Bind(HcmV3.HttpFilter message, int index, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(errors);
        var configPath = BindErrors.Path(path, "typed_config");
        if (message.ConfigTypeCase != HcmV3.HttpFilter.ConfigTypeOneofCase.TypedConfig)
        {
            errors.Add(configPath, $"The filter {message.Name} needs a typed_config.");
            return null;
        }

        var type = Any.GetTypeName(message.TypedConfig.TypeUrl);
        if (_byConfig.TryGetValue(type, out var binder))
        {
            return binder.Bind(message.Name, index, message.TypedConfig, configPath, errors);
        }

        errors.AddFailClosed(
            configPath, $"The filter {message.Name} ({type}) is not supported by the embedded proxy: requests that would pass it are answered with 500.");
        return new UnsupportedFilter { Name = message.Name, Index = index };
    }

    /// <summary>Binds typed_per_filter_config.</summary>
    public FilterConfigMap BindRoute(IReadOnlyDictionary<string, Any> configs, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(configs);
        ArgumentNullException.ThrowIfNull(errors);
        if (configs.Count == 0)
        {
            return FilterConfigMap.Empty;
        }

        var bound = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, config) in configs)
        {
            bound[name] = BindRoute(config, $"{BindErrors.Path(path, "typed_per_filter_config")}[\"{name}\"]", errors) ?? UnboundFilterConfig.Instance;
        }

        return new FilterConfigMap(bound);
    }

    private object? BindRoute(Any config, string path, BindErrors errors)
    {
        var type = Any.GetTypeName(config.TypeUrl);
        if (_byRouteConfig.TryGetValue(type, out var binder))
        {
            return binder.BindRoute(config, path, errors);
        }

        errors.AddFailClosed(
            path, $"Configuration of the type {type} is not supported by the embedded proxy: requests that would pass its filter are answered with 500.");
        return null;
    }
}
