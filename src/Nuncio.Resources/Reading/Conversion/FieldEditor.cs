using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading.Conversion;

/// <summary>Changes the fields of one object without touching the node it came from.</summary>
internal sealed class FieldEditor(MapNode origin)
{
    private readonly List<Entry> _entries = [.. origin.Entries];

    public MapNode Origin { get; } = origin;

    public Node? Find(string name)
    {
        var index = IndexOf(name);
        return index < 0 ? null : _entries[index].Value;
    }

    /// <summary>Removes a field and returns its value.</summary>
    public Node? Take(string name)
    {
        var index = IndexOf(name);
        if (index < 0)
            return null;
        var value = _entries[index].Value;
        _entries.RemoveAt(index);
        return value;
    }

    public void Set(string name, Node value) => Add(NodeFactory.Entry(value, name, value));

    /// <summary>Sets a field and keeps the place of its name.</summary>
    public void Add(Entry entry)
    {
        var index = IndexOf(entry.Key.Text);
        if (index < 0)
            _entries.Add(entry);
        else
            _entries[index] = entry;
    }

    public void Change(string name, Func<Node, Node> change)
    {
        var index = IndexOf(name);
        if (index >= 0)
            _entries[index] = _entries[index] with { Value = change(_entries[index].Value) };
    }

    /// <summary>Gives a field its new name; a field that has the new name already stays and the old one is left to be reported.</summary>
    public void Rename(string from, string to)
    {
        if (Find(to) is null && Take(from) is { } value)
            Set(to, value);
    }

    public MapNode ToNode() => NodeFactory.Map(Origin, _entries);

    private int IndexOf(string name) => _entries.FindIndex(e => string.Equals(e.Key.Text, name, StringComparison.Ordinal));
}
