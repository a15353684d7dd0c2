using Nuncio.DataPlane.Routing;

namespace Nuncio.DataPlane.Model;

/// <summary>All virtual hosts of a connection manager (RouteV3.RouteConfiguration). Immutable, swapped whole.</summary>
public sealed class RouteConfigurationModel
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>In the declared order.</summary>
    public required IReadOnlyList<VirtualHostModel> VirtualHosts { get; init; }

    /// <summary>Finds the virtual host of a request.</summary>
    public required VirtualHostIndex Index { get; init; }

    /// <summary>Request headers, lower-case, that only internal clients may send.</summary>
    public IReadOnlyList<byte[]> InternalOnlyHeaders { get; init; } = [];

    /// <summary>After the virtual host's.</summary>
    public required HeaderMutationsModel RequestHeaders { get; init; }

    /// <summary>After the virtual host's.</summary>
    public required HeaderMutationsModel ResponseHeaders { get; init; }

    /// <summary>Header changes run from the least specific to the most specific instead of the other way round.</summary>
    public bool MostSpecificHeaderMutationsWins { get; init; }

    /// <summary>Configuration of filters for virtual hosts that have none.</summary>
    public required FilterConfigMap FilterConfigs { get; init; }

    /// <summary>For virtual hosts that have none.</summary>
    public IReadOnlyList<MirrorPolicyModel> MirrorPolicies { get; init; } = [];

    /// <summary>Path parameters (<c>;a=b</c>) are no part of the path that routes match.</summary>
    public bool IgnorePathParameters { get; init; }

    /// <summary>The message it was bound from.</summary>
    public required RouteV3.RouteConfiguration Message { get; init; }
}
