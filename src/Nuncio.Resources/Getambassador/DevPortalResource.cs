using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>A developer portal (kind DevPortal). Spec section 15.8.</summary>
public sealed record DevPortalResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "DevPortal";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required DevPortalSpec Spec { get; init; }
}

/// <summary>The fields of a DevPortal.</summary>
public sealed record DevPortalSpec
{
    public bool? Default { get; init; }

    public DevPortalContent? Content { get; init; }

    public ValueList<DevPortalDocs>? Docs { get; init; }

    /// <summary><c>selector.matchNamespaces</c>.</summary>
    public ValueList<string>? MatchNamespaces { get; init; }

    /// <summary><c>selector.matchLabels</c>.</summary>
    public ValueMap<string>? MatchLabels { get; init; }

    /// <summary><c>namespace.name</c> or <c>name.prefix</c>.</summary>
    public string? NamingScheme { get; init; }

    public bool? PreserveServers { get; init; }

    public DevPortalSearch? Search { get; init; }
}

/// <summary>Where the portal's pages come from.</summary>
public sealed record DevPortalContent(string? Url, string? Dir, string? Branch);

/// <summary>An API description that no Mapping names.</summary>
public sealed record DevPortalDocs(string? Service, string? Url, long? TimeoutMs);

/// <summary>Search in the portal; the type is <c>title-only</c> or <c>all-content</c>.</summary>
public sealed record DevPortalSearch(bool? Enabled, string? Type);
