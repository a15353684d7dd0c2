namespace Nuncio.Resources.Getambassador;

/// <summary>Service names are resolved by DNS (kind KubernetesServiceResolver). Spec section 8.2.</summary>
public sealed record KubernetesServiceResolverResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "KubernetesServiceResolver";
}

/// <summary>Service names are resolved to the endpoints of the Service (kind KubernetesEndpointResolver). Spec section 8.2.</summary>
public sealed record KubernetesEndpointResolverResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "KubernetesEndpointResolver";
}

/// <summary>Service names are resolved by Consul (kind ConsulResolver). Spec section 8.2.</summary>
public sealed record ConsulResolverResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "ConsulResolver";

    /// <summary><c>host:port</c> of an agent, environment variables expanded.</summary>
    public string? Address { get; init; }

    /// <summary>Required, but the schema does not say so.</summary>
    public string? Datacenter { get; init; }
}
