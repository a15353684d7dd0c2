namespace Nuncio.Resources.Findings;

/// <summary>How much a finding matters.</summary>
public enum FindingLevel
{
    /// <summary>Worth knowing; nothing is wrong.</summary>
    Notice,

    /// <summary>Works, but probably not as meant, or not for long.</summary>
    Warning,

    /// <summary>The object, or the named part of it, does not take effect as written.</summary>
    Error,
}

/// <summary>Where in a file something stands.</summary>
/// <param name="File">The path as it was given or found below a given folder.</param>
/// <param name="Line">1-based.</param>
/// <param name="Column">1-based.</param>
public sealed record SourceLocation(string File, int Line, int Column)
{
    /// <inheritdoc/>
    public override string ToString() => $"{File}:{Line}:{Column}";
}

/// <summary>Names one resource.</summary>
/// <param name="Kind">For instance <c>Mapping</c>.</param>
/// <param name="Namespace">Empty for cluster-scoped kinds.</param>
/// <param name="Name">The metadata name.</param>
public readonly record struct ResourceKey(string Kind, string Namespace, string Name)
{
    /// <inheritdoc/>
    public override string ToString() => Namespace.Length == 0 ? $"{Kind}/{Name}" : $"{Kind}/{Namespace}/{Name}";
}

/// <summary>
/// A user's mistake, or something a user should know, as a value: it belongs to one resource and never stops another.
/// </summary>
/// <param name="Code">Stable, lower-case with dashes, documented in docs/findings.md; a member of <see cref="FindingCodes"/>.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="Message">For a person, one or two sentences, no trailing full stop needed.</param>
/// <param name="Resource">The resource it belongs to; null when it concerns a whole file or the whole input.</param>
/// <param name="FieldPath">For instance <c>spec.retry_policy.retry_on</c>; empty for the whole resource.</param>
/// <param name="Location">For input from files.</param>
/// <param name="Suggestion">A near known name, or what to write instead; null when there is none.</param>
public sealed record Finding(
    string Code,
    FindingLevel Level,
    string Message,
    ResourceKey? Resource = null,
    string FieldPath = "",
    SourceLocation? Location = null,
    string? Suggestion = null);
