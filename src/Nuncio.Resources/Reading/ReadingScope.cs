using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading;

/// <summary>Collects what is found while one resource is read.</summary>
internal sealed class ReadingScope(string file, ReadingLimits limits, List<Finding> findings, ResourceKey? resource)
{
    private int _dropped;

    public string File { get; } = file;

    public ReadingLimits Limits { get; } = limits;

    public List<Finding> Findings { get; } = findings;

    public ResourceKey? Resource { get; } = resource;

    /// <summary>Whether the object breaks its schema.</summary>
    public bool IsInvalid { get; set; }

    /// <summary>Off for kinds of which only some fields are read.</summary>
    public bool ReportUnknownFields { get; init; } = true;

    /// <summary>Whether a null counts as not written, as it does where no schema of a custom resource stands before.</summary>
    public bool NullIsAbsent { get; set; }

    public void Add(string code, FindingLevel level, string message, string path, Node at, string? suggestion = null)
    {
        if (_dropped++ < Limits.MaxFindingsPerDocument)
            Findings.Add(new Finding(code, level, message, Resource, path, LocationOf(at), suggestion));
    }

    public SourceLocation LocationOf(Node node) => new(File, node.Line, node.Column);
}
