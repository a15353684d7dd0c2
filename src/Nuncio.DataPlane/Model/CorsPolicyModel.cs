using Nuncio.DataPlane.Matching;

namespace Nuncio.DataPlane.Model;

/// <summary>Cross-origin policy of a route or virtual host (cors.v3.CorsPolicy).</summary>
public sealed class CorsPolicyModel
{
    /// <summary>Origins that are allowed.</summary>
    public required IReadOnlyList<StringMatcher> AllowOrigins { get; init; }

    /// <summary>access-control-allow-methods; empty for none.</summary>
    public byte[] AllowMethods { get; init; } = [];

    /// <summary>access-control-allow-headers; empty for none.</summary>
    public byte[] AllowHeaders { get; init; } = [];

    /// <summary>access-control-expose-headers; empty for none.</summary>
    public byte[] ExposeHeaders { get; init; } = [];

    /// <summary>access-control-max-age; empty for none.</summary>
    public byte[] MaxAge { get; init; } = [];

    /// <summary>access-control-allow-credentials; null where unset.</summary>
    public bool? AllowCredentials { get; init; }

    /// <summary>access-control-allow-private-network; null where unset.</summary>
    public bool? AllowPrivateNetworkAccess { get; init; }

    /// <summary>A preflight of an origin that is not allowed goes to the upstream. Default true.</summary>
    public bool ForwardNotMatchingPreflights { get; init; } = true;

    /// <summary>For how many requests the policy holds.</summary>
    public required RuntimeFraction Enabled { get; init; }
}
