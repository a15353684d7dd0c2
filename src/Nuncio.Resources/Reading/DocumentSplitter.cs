namespace Nuncio.Resources.Reading;

/// <summary>One document of a text, with the line of the text it begins on.</summary>
/// <param name="Text">Without the line <c>---</c> before it, unless something stands in that line.</param>
/// <param name="Line">1-based.</param>
internal readonly record struct DocumentSlice(string Text, int Line);

/// <summary>
/// Cuts a YAML text at the lines that begin with <c>---</c>. YAML allows no such line within a document (a block scalar of the top level apart, which no
/// object of Kubernetes is), so each document can be read, and read again after a change, without the others.
/// </summary>
internal static class DocumentSplitter
{
    public static List<DocumentSlice> Split(string text)
    {
        var slices = new List<DocumentSlice>();
        var start = 0;
        var startLine = 1;
        var line = 1;
        var position = 0;
        while (position < text.Length)
        {
            var end = text.IndexOf('\n', position);
            var next = end < 0 ? text.Length : end + 1;
            if (IsSeparator(text.AsSpan(position, next - position), out var isBare))
            {
                Add(slices, text, start, position, startLine);
                start = isBare ? next : position;
                startLine = isBare ? line + 1 : line;
            }

            position = next;
            line++;
        }

        Add(slices, text, start, text.Length, startLine);
        return slices;
    }

    private static bool IsSeparator(ReadOnlySpan<char> line, out bool isBare)
    {
        isBare = false;
        if (!line.StartsWith("---", StringComparison.Ordinal))
            return false;
        var rest = line[3..];
        if (!rest.IsEmpty && !char.IsWhiteSpace(rest[0]))
            return false;
        rest = rest.Trim();
        isBare = rest.IsEmpty || rest[0] == '#';
        return true;
    }

    private static void Add(List<DocumentSlice> slices, string text, int start, int end, int line)
    {
        var slice = text.AsSpan(start, end - start);
        if (!IsBlank(slice))
            slices.Add(new DocumentSlice(slice.ToString(), line));
    }

    // Only blanks, comments, directives and the end-of-document mark.
    private static bool IsBlank(ReadOnlySpan<char> slice)
    {
        foreach (var line in slice.EnumerateLines())
        {
            var trimmed = line.Trim();
            if (!trimmed.IsEmpty && trimmed[0] is not ('#' or '%' or '\uFEFF') && !trimmed.SequenceEqual("..."))
                return false;
        }

        return true;
    }
}
