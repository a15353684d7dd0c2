namespace Nuncio.Resources.Findings;

/// <summary>The stable codes of findings, one constant each, in alphabetical order. Each has a row in docs/findings.md.</summary>
public static partial class FindingCodes
{
    /// <summary>A field that the schema of its kind does not have.</summary>
    public const string UnknownField = "unknown-field";
}
