using System.Diagnostics.CodeAnalysis;

namespace Nuncio.Resources.Reading.Tree;

/// <summary>A document cannot be turned into nodes. Never leaves this project: <see cref="ManifestReader"/> makes a finding of it.</summary>
[SuppressMessage("Design", "CA1064", Justification = "Caught where the document began.")]
[SuppressMessage("Design", "CA1032", Justification = "Always thrown with a place.")]
internal sealed class DocumentException(string code, string message, int line, int column) : Exception(message)
{
    public string Code { get; } = code;

    public int Line { get; } = line;

    public int Column { get; } = column;
}
