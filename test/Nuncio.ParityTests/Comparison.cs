namespace Nuncio.ParityTests;

/// <summary>What was compared so far and what of it differs.</summary>
internal sealed class Comparison
{
    private readonly HashSet<(string, string)> _met = [];

    /// <summary>Aspects of which both planes have said something.</summary>
    public int Compared { get; private set; }

    /// <summary>Differences that no list allows.</summary>
    public List<string> Differences { get; } = [];

    /// <summary>Differences that are listed.</summary>
    public List<string> Listed { get; } = [];

    /// <summary>Listed entries that no longer differ.</summary>
    public IEnumerable<(string Exchange, string Aspect, string Why)> Settled => KnownDifferences.All.Where(known => !_met.Contains((known.Exchange, known.Aspect)));

    public void Add(string area, string exchange, Observation embedded, Observation envoy)
    {
        Compared += embedded.Aspects.Keys.Union(envoy.Aspects.Keys).Count();
        foreach (var (aspect, a, b) in Observation.Differences(embedded, envoy)) Differ(area, exchange, aspect, a, b);
    }

    public void AddStatistics(string area, SortedDictionary<string, string> embedded, SortedDictionary<string, string> envoy)
    {
        foreach (var name in embedded.Keys.Union(envoy.Keys).Order(StringComparer.Ordinal))
        {
            Compared++;
            var (a, b) = (embedded.GetValueOrDefault(name, "0"), envoy.GetValueOrDefault(name, "0"));
            if (a != b) Differ(area, "statistics", name, a, b);
        }
    }

    private void Differ(string area, string exchange, string aspect, string a, string b)
    {
        var text = $"{(area.Length > 0 ? area + ": " : "")}{exchange}: {aspect}: embedded [{a}], Envoy [{b}]";
        if (KnownDifferences.For(area, exchange, aspect) is { } known)
        {
            _met.Add((known.Exchange, known.Aspect));
            Listed.Add(text);
        }
        else
        {
            Differences.Add(text);
        }
    }
}
