namespace Nuncio.Diagnostics.Explaining;

/// <summary>A request to be explained.</summary>
public sealed record ExplainRequest
{
    /// <summary>http or https, with host and path.</summary>
    public required Uri Url { get; init; }

    /// <summary>The path and query as they were written: <see cref="Uri"/> would resolve dot segments, which is for the gateway to do.</summary>
    public required string PathAndQuery { get; init; }

    /// <summary>Upper-case; default GET.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>Names in lower case, in order. A <c>host</c> here is what the client says instead of the URL's host.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Whether the connection is TLS.</summary>
    public bool IsTls => Url.Scheme == Uri.UriSchemeHttps;

    /// <summary>What the client sends as host: without the port where that is the scheme's default.</summary>
    public string Authority =>
        Headers.FirstOrDefault(header => header.Key is "host" or ":authority").Value ?? (Url.IsDefaultPort ? Url.IdnHost : $"{Url.IdnHost}:{Url.Port}");

    /// <summary>Reads the options of the command line.</summary>
    /// <param name="url">An absolute http or https URL.</param>
    /// <param name="method">As in <c>curl -X</c>; null is GET.</param>
    /// <param name="headers">As in <c>curl -H</c>: <c>Name: value</c>.</param>
    /// <param name="error">Why not, for a person.</param>
    /// <returns>Null with an error.</returns>
    public static ExplainRequest? Parse(string url, string? method, IEnumerable<string> headers, out string? error)
    {
        ArgumentNullException.ThrowIfNull(url);
        ArgumentNullException.ThrowIfNull(headers);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
        {
            error = $"'{url}' is not an http or https URL";
            return null;
        }

        var read = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var header in headers)
        {
            var colon = header.IndexOf(':', header.StartsWith(':') ? 1 : 0);
            if (colon <= 0)
            {
                error = $"'{header}' is not NAME: VALUE";
                return null;
            }

            read.Add(new(header[..colon].Trim().ToLowerInvariant(), header[(colon + 1)..].Trim()));
        }

        error = null;
        return new ExplainRequest
        {
            Url = uri,
            PathAndQuery = PathOf(url),
            Method = string.IsNullOrEmpty(method) ? "GET" : method.ToUpperInvariant(),
            Headers = read.ToImmutable(),
        };
    }

    private static string PathOf(string url)
    {
        var start = url.IndexOfAny(['/', '?', '#'], url.IndexOf("://", StringComparison.Ordinal) + 3);
        if (start < 0)
            return "/";
        var end = url.IndexOf('#', start);
        var path = end < 0 ? url[start..] : url[start..end];
        return path.StartsWith('/') ? path : "/" + path;
    }
}
