using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading.Conversion;

/// <summary>Makes nodes that stand where another one does.</summary>
internal static class NodeFactory
{
    public static ScalarNode Text(Node at, string text) => new(text, ScalarKind.Text, at.Line, at.Column);

    public static ListNode List(Node at, List<Node> items) => new(items, at.Line, at.Column);

    public static MapNode Map(Node at, List<Entry> entries) => new(entries, at.Line, at.Column);

    public static Entry Entry(Node at, string name, Node value) => new(Text(at, name), value);
}
