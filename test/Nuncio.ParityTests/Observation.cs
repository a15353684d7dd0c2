using System.Text;
using System.Text.RegularExpressions;
using Nuncio.Testing.Backends;

namespace Nuncio.ParityTests;

/// <summary>What became of an exchange on one plane, aspect by aspect, without what differs from run to run.</summary>
internal sealed partial class Observation
{
    private readonly SortedDictionary<string, string> _aspects = new(StringComparer.Ordinal);

    /// <summary>Every aspect that was seen.</summary>
    public IReadOnlyDictionary<string, string> Aspects => _aspects;

    public void Add(string aspect, string value) => _aspects[aspect] = Normalise(value);

    /// <summary>Every part of a response. With a prefix where there are several.</summary>
    public void AddResponse(WireResponse response, string prefix = "")
    {
        Add(prefix + "status", response.StatusLine);
        Add(prefix + "interim", string.Join(' ', response.Interim));
        foreach (var header in response.Headers.GroupBy(header => header.Key.ToLowerInvariant()))
            Add($"{prefix}header {header.Key}", string.Join(" | ", header.Select(value => $"{header.Key}: {value.Value}")));
        Add(prefix + "body", response["x-upstream"] is null ? response.BodyText : "");
        Add(prefix + "trailers", string.Join(", ", response.Trailers.Select(trailer => $"{trailer.Key}: {trailer.Value}")));
    }

    /// <summary>Something took about as long as it should: not less, and not another order of time, whatever the machine has to do.</summary>
    public void AddTime(TimeSpan taken, TimeSpan expected) =>
        Add("time", taken >= expected * 0.9 && taken < expected + TimeSpan.FromSeconds(15) ? "as configured" : taken < expected ? "too short" : "too long");

    /// <summary>The aspects in which two differ, with both values.</summary>
    public static IEnumerable<(string Aspect, string Embedded, string Envoy)> Differences(Observation embedded, Observation envoy)
    {
        foreach (var aspect in embedded._aspects.Keys.Union(envoy._aspects.Keys).Order(StringComparer.Ordinal))
        {
            var (a, b) = (embedded._aspects.GetValueOrDefault(aspect, "(none)"), envoy._aspects.GetValueOrDefault(aspect, "(none)"));
            if (a != b) yield return (aspect, a, b);
        }
    }

    private static string Normalise(string text)
    {
        text = Uuid().Replace(text, "UUID");
        text = Date().Replace(text, "DATE");
        text = LocalPort().Replace(text, "127.0.0.1:PORT");
        text = Cookie().Replace(text, "sticky=\"COOKIE\"");
        text = ServiceTime().Replace(text, "x-envoy-upstream-service-time: N");
        text = Expected().Replace(text, "x-envoy-expected-rq-timeout-ms: 15000");
        text = Delay().Replace(text, "delayed connect error");
        return text.Length <= 2000 ? text : text[..200] + $"... {Encoding.UTF8.GetByteCount(text)} bytes";
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uuid();

    [GeneratedRegex(@"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")]
    private static partial Regex Date();

    [GeneratedRegex(@"127\.0\.0\.1:\d+")]
    private static partial Regex LocalPort();

    [GeneratedRegex("sticky=\"?[0-9a-f]{6,}\"?")]
    private static partial Regex Cookie();

    [GeneratedRegex(@"x-envoy-upstream-service-time: \d+")]
    private static partial Regex ServiceTime();

    // What is left of it at a retry.
    [GeneratedRegex(@"x-envoy-expected-rq-timeout-ms: 14\d\d\d")]
    private static partial Regex Expected();

    [GeneratedRegex("delayed connect error: ?(Connection refused|111)?")]
    private static partial Regex Delay();
}
