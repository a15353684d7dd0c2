using System.Globalization;
using System.Text;

namespace Nuncio.Testing.Backends;

/// <summary>One HTTP/1.1 request as its bytes said it: nothing joined, lower-cased or dropped.</summary>
/// <param name="Method">The first word.</param>
/// <param name="Target">The second: path and query, as sent.</param>
/// <param name="Version">The third, <c>HTTP/1.1</c>.</param>
/// <param name="Headers">In order, with the case and spelling of the wire.</param>
/// <param name="Body">Decoded where it was chunked.</param>
/// <param name="Trailers">What came after the last chunk.</param>
public sealed record BackendRequest(
    string Method,
    string Target,
    string Version,
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    byte[] Body,
    IReadOnlyList<KeyValuePair<string, string>> Trailers)
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

    /// <summary>The request line and headers, one a line: for messages of assertions and for echoing.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{Method} {Target} {Version}\n"));
        foreach (var (name, value) in Headers) text.Append(name).Append(": ").Append(value).Append('\n');
        return text.ToString();
    }
}
