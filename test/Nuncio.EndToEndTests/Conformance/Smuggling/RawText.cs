using System.Globalization;
using System.Text;

namespace Nuncio.EndToEndTests.Conformance.Smuggling;

/// <summary>
/// Bytes as a line of a corpus writes them: printable ASCII as it is, <c>\r \n \t \\ \xHH</c>, <c>{c*N}</c> for a character N times, and words in braces
/// that the reader gives a meaning.
/// </summary>
internal static class RawText
{
    /// <summary>The bytes, as Latin-1 text, cut at the words in braces, which come as pieces of their own.</summary>
    public static IEnumerable<string> Pieces(string text)
    {
        var piece = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
                if (text[i] == 'x')
                {
                    piece.Append((char)int.Parse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                    i += 2;
                    continue;
                }

                piece.Append(text[i] switch { 'r' => '\r', 'n' => '\n', 't' => '\t', _ => text[i] });
            }
            else if (text[i] == '{')
            {
                var end = text.IndexOf('}', i + 2);
                var word = text[(i + 1)..end];
                i = end;
                if (word.Length > 2 && word[1] == '*')
                {
                    piece.Append(word[0], int.Parse(word[2..], CultureInfo.InvariantCulture));
                    continue;
                }

                yield return piece.ToString();
                piece.Clear();
                yield return "{" + word + "}";
            }
            else
            {
                piece.Append(text[i]);
            }
        }

        yield return piece.ToString();
    }
}
