using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading.Conversion;

/// <summary>Turns a rate-limit specifier of v2 into one of v3alpha1 (spec section 3.3).</summary>
internal static class LabelSpecifierConversion
{
    public static Node Convert(Node node) => node switch
    {
        ScalarNode { Kind: ScalarKind.Text } text => FromText(text),
        MapNode { Entries: [{ Key.Text: not "generic_key", Value: MapNode header } entry] } when header.Find("header") is { } name =>
            FromHeader(entry.Key, header, name),
        MapNode map when map.Find("generic_key") is ScalarNode { Kind: ScalarKind.Text } value => GenericKey(value),
        _ => node,
    };

    private static MapNode FromText(ScalarNode text) => text.Text is "source_cluster" or "destination_cluster" or "remote_address"
        ? NodeFactory.Map(text, [NodeFactory.Entry(text, text.Text, NodeFactory.Map(text, [NodeFactory.Entry(text, "key", text)]))])
        : GenericKey(text);

    private static MapNode GenericKey(ScalarNode value) =>
        NodeFactory.Map(value, [NodeFactory.Entry(value, "generic_key", NodeFactory.Map(value, [NodeFactory.Entry(value, "value", value)]))]);

    private static MapNode FromHeader(ScalarNode key, MapNode header, Node name)
    {
        List<Entry> fields = [NodeFactory.Entry(key, "key", NodeFactory.Text(key, key.Text)), NodeFactory.Entry(name, "header_name", name)];
        if (header.Find("omit_if_not_present") is { } omit)
            fields.Add(NodeFactory.Entry(omit, "omit_if_not_present", omit));
        return NodeFactory.Map(key, [NodeFactory.Entry(key, "request_headers", NodeFactory.Map(key, fields))]);
    }
}
