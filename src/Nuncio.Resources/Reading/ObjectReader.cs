using System.Globalization;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading;

/// <summary>
/// Reads the fields of one object by name. What has the wrong type, is out of range or is missing becomes a finding and marks the
/// <see cref="ReadingScope"/> invalid; <see cref="Finish"/> reports the names that nobody asked for.
/// </summary>
internal sealed class ObjectReader
{
    private readonly MapNode _map;
    private readonly ObjectReader? _parent;
    private readonly string _segment;
    private readonly int _index;
    private readonly List<string> _known = [];
    private int _found;

    private ObjectReader(MapNode map, ReadingScope scope, ObjectReader? parent, string segment, int index)
    {
        _map = map;
        Scope = scope;
        _parent = parent;
        _segment = segment;
        _index = index;
    }

    public ReadingScope Scope { get; }

    public MapNode Map => _map;

    public static ObjectReader Root(MapNode map, ReadingScope scope, string path) => new(map, scope, null, path, -1);

    public Node? Find(string name)
    {
        _known.Add(name);
        var node = _map.Find(name);
        if (node is not null)
            _found++;
        return Scope.NullIsAbsent && node is ScalarNode { Kind: ScalarKind.Null } ? null : node;
    }

    public bool Has(string name) => _map.Find(name) is not null;

    /// <summary>Names that are known but not read.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            Find(name);
    }

    public string? Text(string name) => Find(name) is { } node ? ToText(node, name) : null;

    public string RequiredText(string name)
    {
        if (Find(name) is { } node)
            return ToText(node, name) ?? "";
        Missing(name);
        return "";
    }

    public bool? Boolean(string name)
    {
        if (Find(name) is not { } node)
            return null;
        if (node is ScalarNode { Kind: ScalarKind.Boolean } scalar)
            return scalar.BooleanValue;
        WrongType(node, name, "true or false");
        return null;
    }

    public long? Integer(string name, long min = long.MinValue, long max = long.MaxValue) =>
        Find(name) is { } node ? ToInteger(node, name, min, max) : null;

    public int? Int32(string name, int min = int.MinValue, int max = int.MaxValue) => (int?)Integer(name, min, max);

    public int RequiredInt32(string name, int min, int max)
    {
        if (Find(name) is { } node)
            return (int)(ToInteger(node, name, min, max) ?? 0);
        Missing(name);
        return 0;
    }

    /// <summary>A text that must be one of the given ones.</summary>
    public string? TextOf(string name, params ReadOnlySpan<string> allowed)
    {
        if (Find(name) is not { } node || ToText(node, name) is not { } text)
            return null;
        if (allowed.Contains(text))
            return text;
        NotAllowed(node, name, text, allowed.ToArray());
        return null;
    }

    public T? Choice<T>(string name, ReadOnlySpan<(string Text, T Value)> allowed)
        where T : struct
    {
        if (Find(name) is not { } node || ToText(node, name) is not { } text)
            return null;
        return ToChoice(node, name, text, allowed);
    }

    public T RequiredChoice<T>(string name, ReadOnlySpan<(string Text, T Value)> allowed)
        where T : struct
    {
        if (_map.Find(name) is null)
            Missing(name);
        return Choice(name, allowed) ?? default;
    }

    public T? ToChoice<T>(Node node, string name, string text, ReadOnlySpan<(string Text, T Value)> allowed)
        where T : struct
    {
        foreach (var (candidate, value) in allowed)
        {
            if (string.Equals(candidate, text, StringComparison.Ordinal))
                return value;
        }

        var names = new string[allowed.Length];
        for (var i = 0; i < names.Length; i++)
            names[i] = allowed[i].Text;
        NotAllowed(node, name, text, names);
        return null;
    }

    public ValueList<string>? TextList(string name) => List(name, static (owner, node, path) => owner.ToText(node, path) ?? "");

    /// <summary>A list of texts, or one text that stands for a list of one.</summary>
    public ValueList<string>? TextOrTextList(string name)
    {
        if (_map.Find(name) is not ScalarNode { Kind: ScalarKind.Text } scalar)
            return TextList(name);
        Find(name);
        return [scalar.Text];
    }

    public ValueList<T>? List<T>(string name, Func<ObjectReader, Node, string, T?> readItem)
        where T : class
    {
        if (Find(name) is not { } node)
            return null;
        return ToList(node, name, readItem);
    }

    public ValueList<T>? ToList<T>(Node node, string name, Func<ObjectReader, Node, string, T?> readItem)
        where T : class
    {
        if (node is not ListNode list)
        {
            WrongType(node, name, "a list");
            return null;
        }

        var items = new List<T>(list.Items.Count);
        for (var i = 0; i < list.Items.Count; i++)
        {
            if (readItem(this, list.Items[i], FieldPath.Join(name, i)) is { } item)
                items.Add(item);
        }

        return items.ToValueList();
    }

    public ValueList<T>? ObjectList<T>(string name, Func<ObjectReader, T?> read, int minItems = 0)
        where T : class
    {
        if (Find(name) is not { } node)
            return null;
        if (node is not ListNode list)
        {
            WrongType(node, name, "a list of objects");
            return null;
        }

        if (list.Items.Count < minItems)
            Report(FindingCodes.ValueOutOfRange, node, name, $"must have at least {minItems} item");
        var items = new List<T>(list.Items.Count);
        for (var i = 0; i < list.Items.Count; i++)
        {
            if (ToObject(list.Items[i], name, i, read) is { } item)
                items.Add(item);
        }

        return items.ToValueList();
    }

    public ValueMap<string>? TextMap(string name) => ValueMapOf(name, static (owner, node, path) => owner.ToText(node, path) ?? "");

    public ValueMap<T>? ValueMapOf<T>(string name, Func<ObjectReader, Node, string, T?> readValue)
    {
        if (Find(name) is not { } node)
            return null;
        if (node is not MapNode map)
        {
            WrongType(node, name, "an object");
            return null;
        }

        var entries = new List<KeyValuePair<string, T>>(map.Entries.Count);
        foreach (var entry in map.Entries)
        {
            if (readValue(this, entry.Value, FieldPath.Join(name, entry.Key.Text)) is { } value)
                entries.Add(new KeyValuePair<string, T>(entry.Key.Text, value));
        }

        return ValueMap.Create(entries);
    }

    public ValueMap<T>? ObjectMap<T>(string name, Func<ObjectReader, T?> read)
        where T : class =>
        ValueMapOf(name, (owner, node, path) => owner.ToObject(node, path, -1, read));

    public T? Object<T>(string name, Func<ObjectReader, T?> read)
        where T : class =>
        Find(name) is { } node ? ToObject(node, name, -1, read) : null;

    public T? RequiredObject<T>(string name, Func<ObjectReader, T?> read)
        where T : class
    {
        if (Find(name) is { } node)
            return ToObject(node, name, -1, read);
        Missing(name);
        return null;
    }

    /// <summary>Reads a node as an object whose every name must be known.</summary>
    public T? ToObject<T>(Node node, string name, int index, Func<ObjectReader, T?> read)
        where T : class
    {
        if (node is not MapNode map)
        {
            WrongType(node, index < 0 ? name : FieldPath.Join(name, index), "an object");
            return null;
        }

        var reader = new ObjectReader(map, Scope, this, name, index);
        var value = read(reader);
        reader.Finish();
        return value;
    }

    /// <summary>A child object that is read by a function of its own, without a look at unknown names.</summary>
    public ObjectReader? Child(string name)
    {
        switch (Find(name))
        {
            case null:
                return null;
            case MapNode map:
                return new ObjectReader(map, Scope, this, name, -1);
            case { } node:
                WrongType(node, name, "an object");
                return null;
        }
    }

    public string? ToText(Node node, string path)
    {
        if (node is ScalarNode { Kind: ScalarKind.Text } scalar)
            return scalar.Text;
        WrongType(node, path, "text", node is ScalarNode { Kind: not ScalarKind.Null } other ? $"\"{other.Text}\"" : null);
        return null;
    }

    public long? ToInteger(Node node, string path, long min = long.MinValue, long max = long.MaxValue)
    {
        if (node is not ScalarNode scalar || !scalar.TryGetInteger(out var value))
        {
            var unquoted = node is ScalarNode { Kind: ScalarKind.Text } text && YamlScalar.TryParseInteger(text.Text, out _) ? text.Text : null;
            WrongType(node, path, "a whole number", unquoted);
            return null;
        }

        if (value >= min && value <= max)
            return value;
        var bound = value < min ? $"at least {min.ToString(CultureInfo.InvariantCulture)}" : $"at most {max.ToString(CultureInfo.InvariantCulture)}";
        Report(FindingCodes.ValueOutOfRange, node, path, $"is {value.ToString(CultureInfo.InvariantCulture)}, but must be {bound}");
        return null;
    }

    public void WrongType(Node node, string name, string expected, string? suggestion = null) =>
        Report(FindingCodes.WrongType, node, name, $"must be {expected}, not {node.Description}", suggestion);

    public void NotAllowed(Node node, string name, string text, string[] allowed) =>
        Report(
            FindingCodes.ValueNotAllowed, node, name, $"is '{text}', but must be one of {string.Join(", ", allowed)}", NameSuggestion.For(text, allowed));

    public void Missing(string name) => Report(FindingCodes.FieldMissing, _map, name, "is required");

    /// <summary>Reports an error of a field and marks the scope invalid.</summary>
    public void Report(string code, Node at, string name, string problem, string? suggestion = null)
    {
        Scope.IsInvalid = true;
        Add(code, FindingLevel.Error, at, name, problem, suggestion);
    }

    /// <summary>Reports something about a field that leaves the object valid.</summary>
    public void Remark(string code, FindingLevel level, Node at, string name, string problem, string? suggestion = null) =>
        Add(code, level, at, name, problem, suggestion);

    /// <summary>Reports every name that was not asked for.</summary>
    public void Finish()
    {
        if (_found >= _map.Entries.Count || !Scope.ReportUnknownFields)
            return;
        foreach (var entry in _map.Entries)
        {
            if (_known.Contains(entry.Key.Text))
                continue;
            Add(
                FindingCodes.UnknownField, FindingLevel.Warning, entry.Key, FieldPath.Join("", entry.Key.Text), "is not a field of this kind and has no effect",
                NameSuggestion.For(entry.Key.Text, _known));
        }
    }

    private void Add(string code, FindingLevel level, Node at, string name, string problem, string? suggestion)
    {
        var path = PathOf(name);
        Scope.Add(code, level, $"{path} {problem}", path, at, suggestion);
    }

    // Names are relative paths: a plain name, or what FieldPath.Join made of one.
    private string PathOf(string name)
    {
        var own = OwnPath();
        if (own.Length == 0 || name.Length == 0)
            return own.Length == 0 ? name : own;
        return name[0] == '[' ? own + name : $"{own}.{name}";
    }

    private string OwnPath()
    {
        if (_parent is null)
            return _segment;
        var path = _parent.PathOf(_segment);
        return _index < 0 ? path : FieldPath.Join(path, _index);
    }
}
