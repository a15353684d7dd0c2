using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.State;

/// <summary>The routes of one name as they are now: swapped whole, read once per request. Connection managers hold it for as long as they live.</summary>
public sealed class RouteConfigurationState
{
    private RouteConfigurationModel? _current;

    /// <summary>The routes; null before the first ones have come.</summary>
    public RouteConfigurationModel? Current
    {
        get => Volatile.Read(ref _current);
        set => Volatile.Write(ref _current, value);
    }
}
