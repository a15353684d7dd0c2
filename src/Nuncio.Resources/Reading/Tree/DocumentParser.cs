using Nuncio.Resources.Findings;

namespace Nuncio.Resources.Reading.Tree;

/// <summary>Turns slices of text into nodes, JSON or YAML.</summary>
internal static class DocumentParser
{
    /// <summary>Whether a text begins as JSON does.</summary>
    public static bool LooksLikeJson(ReadOnlySpan<char> text)
    {
        var trimmed = text.TrimStart();
        return !trimmed.IsEmpty && trimmed[0] is '{' or '[';
    }

    public static List<Node> Parse(DocumentSlice slice, ReadingLimits limits, out List<ScalarNode> duplicateKeys)
    {
        // The YAML scanner takes NUL for the end, which would drop the rest without a word.
        if (slice.Text.Contains('\0', StringComparison.Ordinal))
            throw new DocumentException(FindingCodes.DocumentUnreadable, "The text holds a NUL character", slice.Line, 1);
        if (slice.Line == 1 && LooksLikeJson(slice.Text) && JsonNodeParser.TryParse(slice.Text, limits, out duplicateKeys) is { } nodes)
            return nodes;
        return YamlNodeParser.Parse(slice.Text, new TextPosition(slice.Line, 1), limits, out duplicateKeys);
    }

    /// <summary>Reads a scalar that holds YAML itself.</summary>
    /// <param name="slice">The document that the scalar stands in.</param>
    /// <param name="scalar">The scalar.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="duplicateKeys">Names that stand twice in one object.</param>
    public static List<Node> ParseEmbedded(DocumentSlice slice, ScalarNode scalar, ReadingLimits limits, out List<ScalarNode> duplicateKeys)
    {
        var origin = scalar.IsBlock
            ? new TextPosition(scalar.Line + 1, IndentOf(slice, scalar.Line + 1) + 1)
            : new TextPosition(scalar.Line, scalar.Column, IsExact: false);
        return YamlNodeParser.Parse(scalar.Text, origin, limits, out duplicateKeys);
    }

    // The indentation of a block scalar is that of its first line that is not empty.
    private static int IndentOf(DocumentSlice slice, int line)
    {
        var current = slice.Line;
        foreach (var text in slice.Text.AsSpan().EnumerateLines())
        {
            if (current++ < line || text.Trim().IsEmpty)
                continue;
            return text.Length - text.TrimStart(' ').Length;
        }

        return 0;
    }
}
