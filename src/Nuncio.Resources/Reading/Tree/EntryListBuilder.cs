namespace Nuncio.Resources.Reading.Tree;

/// <summary>Collects the entries of one map; of equal names the last value is kept, as every JSON and YAML reader of Kubernetes does.</summary>
internal sealed class EntryListBuilder
{
    // Maps of manifests are short: a scan is cheaper than a dictionary until here.
    private const int ScanLimit = 16;

    private Dictionary<string, int>? _positions;

    public List<Entry> Entries { get; } = [];

    /// <summary>Adds an entry; true when the name was there already.</summary>
    public bool Add(Entry entry)
    {
        var position = PositionOf(entry.Key.Text);
        if (position >= 0)
        {
            Entries[position] = entry;
            return true;
        }

        Entries.Add(entry);
        _positions?.Add(entry.Key.Text, Entries.Count - 1);
        return false;
    }

    private int PositionOf(string name)
    {
        if (Entries.Count < ScanLimit)
            return Entries.FindIndex(e => string.Equals(e.Key.Text, name, StringComparison.Ordinal));
        if (_positions is null)
        {
            _positions = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var i = 0; i < Entries.Count; i++)
                _positions.Add(Entries[i].Key.Text, i);
        }

        return _positions.GetValueOrDefault(name, -1);
    }
}
