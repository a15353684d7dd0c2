namespace Nuncio.ParityTests;

/// <summary>What was compared so far and what of it differs.</summary>
internal sealed class Comparison
{
    private readonly HashSet<(string, string)> _met = [];
    private readonly SortedDictionary<string, int[]> _byArea = new(StringComparer.Ordinal);

    /// <summary>Aspects of which both planes have said something.</summary>
    public int Compared { get; private set; }

    /// <summary>Differences that no list allows.</summary>
    public List<string> Differences { get; } = [];

    /// <summary>Differences that are listed.</summary>
    public List<string> Listed { get; } = [];

    /// <summary>
    /// Listed entries that differ no longer, without those that chance decides, and without times: they are compared with the patience that a busy machine
    /// needs, under which a difference of seconds does not show.
    /// </summary>
    public IEnumerable<string> Settled => KnownDifferences.All
        .Where(known => known.Aspect != "time" && !known.Why.StartsWith(KnownDifferences.Chance, StringComparison.Ordinal))
        .Where(known => !_met.Contains((known.Exchange, known.Aspect)))
        .Select(known => $"{known.Exchange}: {known.Aspect}");

    /// <summary>A line for each area, with its statistics apart: exchanges, behaviours, differences that are listed and that are not.</summary>
    public IEnumerable<string> Totals => _byArea.Select(area => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{area.Key}: {area.Value[0]} exchanges, {area.Value[1]} behaviours compared, {area.Value[2]} differ as listed, {area.Value[3]} differ unlisted"));

    public void Add(string area, string exchange, Observation embedded, Observation envoy)
    {
        var aspects = embedded.Aspects.Keys.Union(envoy.Aspects.Keys).Count();
        Compared += aspects;
        Of(area)[0]++;
        Of(area)[1] += aspects;
        foreach (var (aspect, a, b) in Observation.Differences(embedded, envoy)) Differ(area, exchange, aspect, a, b);
    }

    public void AddStatistics(string area, SortedDictionary<string, string> embedded, SortedDictionary<string, string> envoy)
    {
        foreach (var name in embedded.Keys.Union(envoy.Keys).Order(StringComparer.Ordinal))
        {
            Compared++;
            Of(Statistics(area))[1]++;
            var (a, b) = (embedded.GetValueOrDefault(name, "0"), envoy.GetValueOrDefault(name, "0"));
            if (a != b) Differ(area, "statistics", name, a, b);
        }
    }

    private static string Statistics(string area) => area.Length == 0 ? "Statistics of manifests" : "Statistics of messages";

    private int[] Of(string area) => _byArea.TryGetValue(area, out var counts) ? counts : _byArea[area] = new int[4];

    private void Differ(string area, string exchange, string aspect, string a, string b)
    {
        var text = $"{(area.Length > 0 ? area + ": " : "")}{exchange}: {aspect}: embedded [{a}], Envoy [{b}]";
        if (KnownDifferences.For(area, exchange, aspect) is { } known)
        {
            _met.Add((known.Exchange, known.Aspect));
            Listed.Add(text);
            Of(exchange == "statistics" ? Statistics(area) : area)[2]++;
        }
        else
        {
            Differences.Add(text);
            Of(exchange == "statistics" ? Statistics(area) : area)[3]++;
        }
    }
}
