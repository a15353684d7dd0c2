namespace Nuncio.Compiler;

/// <summary>Collects findings of one compilation or of one memoised part of it.</summary>
public sealed class FindingSink
{
    private ImmutableArray<Finding>.Builder? _findings;

    /// <summary>Whether nothing was found.</summary>
    public bool IsEmpty => _findings is null || _findings.Count == 0;

    /// <summary>The object, or the named part of it, does not take effect as written.</summary>
    public void Error(Resource? resource, string code, string fieldPath, string message, string? suggestion = null) =>
        Add(resource, FindingLevel.Error, code, fieldPath, message, suggestion);

    /// <summary>The same of an object that could not be read, of which only the name is known; null for the whole input.</summary>
    public void Error(ResourceKey? resource, string code, string fieldPath, string message) =>
        (_findings ??= ImmutableArray.CreateBuilder<Finding>()).Add(new Finding(code, FindingLevel.Error, message, resource, fieldPath));

    /// <summary>Works, but probably not as meant.</summary>
    public void Warning(Resource? resource, string code, string fieldPath, string message, string? suggestion = null) =>
        Add(resource, FindingLevel.Warning, code, fieldPath, message, suggestion);

    /// <summary>Worth knowing.</summary>
    public void Notice(Resource? resource, string code, string fieldPath, string message, string? suggestion = null) =>
        Add(resource, FindingLevel.Notice, code, fieldPath, message, suggestion);

    /// <summary>Adds findings that were kept from an earlier compilation.</summary>
    public void AddRange(ImmutableArray<Finding> findings)
    {
        if (findings.IsDefaultOrEmpty)
            return;
        (_findings ??= ImmutableArray.CreateBuilder<Finding>()).AddRange(findings);
    }

    /// <summary>All so far.</summary>
    public ImmutableArray<Finding> ToImmutable() => _findings?.ToImmutable() ?? [];

    private void Add(Resource? resource, FindingLevel level, string code, string fieldPath, string message, string? suggestion) =>
        (_findings ??= ImmutableArray.CreateBuilder<Finding>()).Add(
            new Finding(code, level, message, resource?.Key, fieldPath, resource?.Locate(fieldPath), suggestion));
}
