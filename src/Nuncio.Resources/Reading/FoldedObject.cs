using Nuncio.Resources.Collections;
using Nuncio.Resources.Reading.Conversion;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading;

/// <summary>
/// The short form of objects in annotations and in old configuration files, where the fields of metadata and spec stand at the top (spec section 11.4).
/// </summary>
internal static class FoldedObject
{
    private const string OldGroup = "ambassador/";

    /// <summary>The same object in the usual form; namespace and labels default to those of the object that carries it.</summary>
    public static MapNode Unfold(MapNode map, ObjectHeader? carrier)
    {
        var metadata = new FieldEditor(map.Find("metadata") as MapNode ?? NodeFactory.Map(map, []));
        var spec = new FieldEditor(map.Find("spec") as MapNode ?? NodeFactory.Map(map, []));
        var top = new List<Entry>();
        foreach (var entry in map.Entries)
        {
            switch (entry.Key.Text)
            {
                case "apiVersion":
                    top.Add(entry with { Value = CurrentGroup(entry.Value) });
                    break;
                case "kind" or "status" or "items":
                    top.Add(entry);
                    break;
                case "metadata" or "spec":
                    break;
                case "name" or "namespace" or "generation":
                    metadata.Set(entry.Key.Text, entry.Value);
                    break;
                case "metadata_labels":
                    metadata.Set("labels", entry.Value);
                    break;
                default:
                    spec.Add(entry);
                    break;
            }
        }

        if (carrier is not null)
        {
            if (metadata.Find("namespace") is not ScalarNode { Kind: ScalarKind.Text, Text.Length: > 0 })
                metadata.Set("namespace", NodeFactory.Text(map, carrier.Key.Namespace));
            if (metadata.Find("labels") is null or ScalarNode { Kind: ScalarKind.Null } && carrier.Labels.Count > 0)
                metadata.Set("labels", ToNode(map, carrier.Labels));
        }

        top.Add(NodeFactory.Entry(map, "metadata", metadata.ToNode()));
        top.Add(NodeFactory.Entry(map, "spec", spec.ToNode()));
        return NodeFactory.Map(map, top);
    }

    private static Node CurrentGroup(Node version) =>
        version is ScalarNode { Kind: ScalarKind.Text } text && text.Text.StartsWith(OldGroup, StringComparison.Ordinal)
            ? NodeFactory.Text(text, string.Concat("getambassador.io/", text.Text.AsSpan(OldGroup.Length)))
            : version;

    private static MapNode ToNode(Node at, ValueMap<string> labels)
    {
        var entries = new List<Entry>(labels.Count);
        foreach (var (name, value) in labels)
            entries.Add(NodeFactory.Entry(at, name, NodeFactory.Text(at, value)));
        return NodeFactory.Map(at, entries);
    }
}
