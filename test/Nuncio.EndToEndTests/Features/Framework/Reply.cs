using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Features;

/// <summary>What a client got, and what the upstream says it saw.</summary>
public sealed class Reply
{
    private readonly WireResponse _response;
    private readonly string[] _lines;

    internal Reply(WireResponse response)
    {
        _response = response;
        _lines = response["x-upstream"] is null ? [] : response.BodyText.Split("\n\n")[0].Split('\n');
    }

    public int Status => _response.Status;

    public string Body => _response.BodyText;

    public byte[] Bytes => _response.Body;

    /// <summary>The names as they came on the wire.</summary>
    public IEnumerable<string> HeaderNames => _response.Headers.Select(header => header.Key);

    /// <summary>The name of the upstream that answered; null when the gateway did itself.</summary>
    public string? Upstream => _response["x-upstream"];

    /// <summary>The path and query that the upstream saw.</summary>
    public string Target => _lines.Length > 0 ? _lines[0].Split(' ')[1] : "";

    /// <summary>A response header's values, joined by commas.</summary>
    public string? this[string header] => _response[header];

    /// <summary>The values of a request header that the upstream saw, joined by commas; null when it saw none.</summary>
    public string? Seen(string header)
    {
        var values = _lines.Skip(1).Where(line => line.StartsWith(header + ":", StringComparison.OrdinalIgnoreCase)).Select(
            line => line[(header.Length + 1)..].Trim());
        return string.Join(',', values) is { Length: > 0 } joined ? joined : null;
    }

    /// <summary>For the messages of assertions.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(_response.StatusLine).Append('\n');
        foreach (var (name, value) in _response.Headers) text.Append(name).Append(": ").Append(value).Append('\n');
        return text.Append('\n').Append(Body).ToString();
    }
}
