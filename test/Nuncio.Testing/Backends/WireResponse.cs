using System.Text;

namespace Nuncio.Testing.Backends;

/// <summary>One HTTP/1.1 response as its bytes said it.</summary>
/// <param name="StatusLine">The first line.</param>
/// <param name="Status">Its number.</param>
/// <param name="Headers">In order, with the case of the wire.</param>
/// <param name="Body">Decoded where it was chunked.</param>
/// <param name="Trailers">What came after the last chunk.</param>
/// <param name="Interim">The 1xx that came before.</param>
public sealed record WireResponse(
    string StatusLine,
    int Status,
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    byte[] Body,
    IReadOnlyList<KeyValuePair<string, string>> Trailers,
    IReadOnlyList<int> Interim)
{
    /// <summary>The values of a header joined by commas, or null.</summary>
    public string? this[string name]
    {
        get
        {
            var values = Headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).ToArray();
            return values.Length == 0 ? null : string.Join(',', values);
        }
    }

    /// <summary>The body as text.</summary>
    public string BodyText => Encoding.UTF8.GetString(Body);
}
