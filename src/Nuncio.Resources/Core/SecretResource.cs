using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Core;

/// <summary>kind Secret. Its values never show when it is printed.</summary>
public sealed record SecretResource : Resource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "Secret";

    /// <summary>For instance <c>kubernetes.io/tls</c>; null is Opaque.</summary>
    public string? Type { get; init; }

    /// <summary><c>data</c> decoded, with <c>stringData</c> over it.</summary>
    public ValueMap<SecretBytes> Data { get; init; } = ValueMap<SecretBytes>.Empty;
}

/// <summary>kind ConfigMap.</summary>
public sealed record ConfigMapResource : Resource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "ConfigMap";

    public ValueMap<string> Data { get; init; } = ValueMap<string>.Empty;
}

/// <summary>kind Namespace. Cluster-scoped; its labels count.</summary>
public sealed record NamespaceResource : Resource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "Namespace";
}
