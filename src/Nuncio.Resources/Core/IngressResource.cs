using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Core;

/// <summary>kind Ingress; <c>networking.k8s.io/v1</c>, <c>v1beta1</c> and <c>extensions/v1beta1</c> in one form. Spec section 11.1.</summary>
public sealed record IngressResource : Resource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "Ingress";

    public string? IngressClassName { get; init; }

    public IngressBackend? DefaultBackend { get; init; }

    public ValueList<IngressTls> Tls { get; init; } = ValueList<IngressTls>.Empty;

    public ValueList<IngressRule> Rules { get; init; } = ValueList<IngressRule>.Empty;
}

/// <summary>A certificate and the hosts it is for.</summary>
public sealed record IngressTls(ValueList<string> Hosts, string? SecretName);

/// <summary>The paths of one host; a null or empty host is any.</summary>
public sealed record IngressRule(string? Host, ValueList<IngressPath> Paths);

/// <summary>A path and where it leads.</summary>
/// <param name="Path">Null is <c>/</c>.</param>
/// <param name="PathType"><c>Exact</c>, <c>Prefix</c> or <c>ImplementationSpecific</c>; null in old versions.</param>
/// <param name="Backend">Null when it is missing or not a Service.</param>
public sealed record IngressPath(string? Path, string? PathType, IngressBackend? Backend);

/// <summary>A Service and its port, by number or by name.</summary>
public sealed record IngressBackend(string? ServiceName, int? PortNumber, string? PortName);

/// <summary>kind IngressClass. Cluster-scoped.</summary>
public sealed record IngressClassResource : Resource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "IngressClass";

    public string? Controller { get; init; }
}
