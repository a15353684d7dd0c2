using System.Collections.Frozen;

namespace Nuncio.DataPlane.Model;

/// <summary>Per-route configuration of HTTP filters, by the filter's name (typed_per_filter_config).</summary>
public sealed class FilterConfigMap
{
    private readonly FrozenDictionary<string, object> _configs;

    /// <summary>Of bound configurations.</summary>
    public FilterConfigMap(IReadOnlyDictionary<string, object> configs) => _configs = configs.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>None.</summary>
    public static FilterConfigMap Empty { get; } = new(new Dictionary<string, object>());

    /// <summary>There is none.</summary>
    public bool IsEmpty => _configs.Count == 0;

    /// <summary>All of them, by filter name.</summary>
    public IReadOnlyDictionary<string, object> All => _configs;

    /// <summary>The bound configuration of a filter, or null.</summary>
    public object? Find(string filterName) => _configs.Count == 0 ? null : _configs.GetValueOrDefault(filterName);
}

/// <summary>The filter does nothing for this route (route.v3.FilterConfig with disabled).</summary>
public sealed class DisabledFilterConfig
{
    /// <summary>The only one.</summary>
    public static DisabledFilterConfig Instance { get; } = new();

    private DisabledFilterConfig()
    {
    }
}

/// <summary>The configuration could not be bound: requests that would pass the filter are answered with 500.</summary>
public sealed class UnboundFilterConfig
{
    /// <summary>The only one.</summary>
    public static UnboundFilterConfig Instance { get; } = new();

    private UnboundFilterConfig()
    {
    }
}
