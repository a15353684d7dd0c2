using System.Globalization;

namespace Nuncio.Resources.Reading.Tree;

/// <summary>A part of a document with the place where it stands (1-based, within the whole file).</summary>
internal abstract class Node(int line, int column)
{
    public int Line { get; } = line;

    public int Column { get; } = column;

    /// <summary>What a person would call it in a message.</summary>
    public abstract string Description { get; }
}

/// <summary>What a scalar stands for.</summary>
internal enum ScalarKind
{
    Null,
    Boolean,
    Integer,
    Float,
    Text,
}

/// <summary>A value that is not composed.</summary>
internal sealed class ScalarNode(string text, ScalarKind kind, int line, int column) : Node(line, column)
{
    /// <summary>As written (quotes and escapes resolved).</summary>
    public string Text { get; } = text;

    public ScalarKind Kind { get; } = kind;

    /// <summary>Whether it is a YAML block scalar, whose lines keep their places in the file.</summary>
    public bool IsBlock { get; init; }

    public override string Description => Kind switch
    {
        ScalarKind.Null => "null",
        ScalarKind.Text => $"the text '{(Text.Length > 40 ? Text[..40] + "..." : Text)}'",
        ScalarKind.Boolean => $"the boolean {Text}",
        _ => $"the number {Text}",
    };

    public bool BooleanValue => YamlScalar.IsTrue(Text);

    public bool TryGetInteger(out long value)
    {
        value = 0;
        return Kind switch
        {
            ScalarKind.Integer => YamlScalar.TryParseInteger(Text, out value),
            ScalarKind.Float => TryGetWhole(out value),
            _ => false,
        };
    }

    // JSON has one kind of number: 3000.0 and 3e3 are integers to a schema.
    private bool TryGetWhole(out long value)
    {
        value = 0;
        if (!double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            || number != Math.Floor(number) || Math.Abs(number) > 9e15)
            return false;
        value = (long)number;
        return true;
    }
}

/// <summary>A sequence.</summary>
internal sealed class ListNode(List<Node> items, int line, int column) : Node(line, column)
{
    public List<Node> Items { get; } = items;

    public override string Description => "a list";
}

/// <summary>A name and its value.</summary>
internal readonly record struct Entry(ScalarNode Key, Node Value);

/// <summary>A mapping; names are unique (the last of equal ones was kept).</summary>
internal sealed class MapNode(List<Entry> entries, int line, int column) : Node(line, column)
{
    public List<Entry> Entries { get; } = entries;

    public override string Description => "an object";

    public Node? Find(string name)
    {
        foreach (var entry in Entries)
        {
            if (string.Equals(entry.Key.Text, name, StringComparison.Ordinal))
                return entry.Value;
        }

        return null;
    }

    public string? FindText(string name) => Find(name) is ScalarNode { Kind: ScalarKind.Text } scalar ? scalar.Text : null;
}
