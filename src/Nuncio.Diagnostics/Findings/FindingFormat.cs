namespace Nuncio.Diagnostics.Findings;

/// <summary>How findings are written.</summary>
public enum FindingFormat
{
    /// <summary>One line each, for people and editors: <c>file:line:column: level code: message</c>.</summary>
    Text,

    /// <summary>One JSON object.</summary>
    Json,

    /// <summary>SARIF 2.1.0, which code hosts show beside the lines of a change.</summary>
    Sarif,
}
