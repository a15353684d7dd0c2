using System.Text;

namespace Nuncio.Resources.Reading;

/// <summary>Replaces <c>$NAME</c> and <c>${NAME}</c>; a variable that is not set is left as it is.</summary>
internal static class EnvironmentReferences
{
    public static string Expand(string text, Func<string, string?> environment)
    {
        if (!text.Contains('$', StringComparison.Ordinal))
            return text;
        var result = new StringBuilder(text.Length);
        var position = 0;
        while (position < text.Length)
        {
            if (text[position] != '$' || NameAt(text, position + 1, out var length) is not { } name || environment(name) is not { } value)
            {
                result.Append(text[position++]);
                continue;
            }

            result.Append(value);
            position += 1 + length;
        }

        return result.ToString();
    }

    private static string? NameAt(string text, int start, out int length)
    {
        length = 0;
        var braced = start < text.Length && text[start] == '{';
        var first = braced ? start + 1 : start;
        var end = first;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_'))
            end++;
        if (end == first || (braced && (end == text.Length || text[end] != '}')))
            return null;
        length = (braced ? end + 1 : end) - start;
        return text[first..end];
    }
}
