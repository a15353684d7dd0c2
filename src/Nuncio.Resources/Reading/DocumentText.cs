using System.Collections.Immutable;
using System.Globalization;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading;

/// <summary>One step from a document to an object in it: into a field or list item, or into the text of an annotation.</summary>
/// <param name="Name">A field's name or an item's index; null to read the scalar as YAML.</param>
/// <param name="Document">With a null name: which document of that YAML.</param>
internal readonly record struct DocumentStep(string? Name, int Document = 0);

/// <summary>Finds the fields of an object by reading its document again, which happens only when a finding needs a place.</summary>
internal sealed class DocumentText(string file, DocumentSlice slice, ImmutableArray<DocumentStep> steps, SourceLocation start) : ResourceText(start)
{
    // Where a field of v3alpha1 was written in a manifest of an older version.
    private static readonly Dictionary<string, string> LegacyNames = new(StringComparer.Ordinal)
    {
        ["hostname"] = "host",
        ["mappingSelector"] = "selector",
        ["crl_secret"] = "v3CRLSecret",
        ["stats_name"] = "v3StatsName",
        ["health_checks"] = "v3health_checks",
        ["circuit_breakers"] = "v3CircuitBreakers",
        ["grpc"] = "v3GRPC",
        ["protocol_version"] = "v3ProtocolVersion",
        ["custom_tags"] = "tag_headers",
        ["labels"] = "metadata_labels",
    };

    [ThreadStatic]
    private static Parsed? lastParsed;

    public DocumentText MovedBy(int lines) => new(file, slice with { Line = slice.Line + lines }, steps, Start with { Line = Start.Line + lines });

    public override SourceLocation Locate(string fieldPath)
    {
        try
        {
            if (FindObject() is not { } node)
                return Start;
            var at = node;
            foreach (var segment in FieldPath.Split(fieldPath))
            {
                if (Enter(node, segment, out var place) is { } inner)
                {
                    node = inner;
                    at = place;
                }
                else if (segment is not ("spec" or "metadata"))
                {
                    // Objects in annotations are written without these two levels.
                    break;
                }
            }

            return new SourceLocation(file, at.Line, at.Column);
        }
        catch (DocumentException)
        {
            return Start;
        }
    }

    private Node? FindObject()
    {
        var documents = Parse();
        var text = slice;
        Node? node = documents.Count > 0 ? documents[0] : null;
        foreach (var step in steps)
        {
            if (node is null)
                return null;
            if (step.Name is { } name)
            {
                node = Enter(node, name, out _);
                continue;
            }

            if (node is not ScalarNode scalar)
                return null;
            var inner = DocumentParser.ParseEmbedded(text, scalar, ReadingLimits.Default, out _);
            node = step.Document < inner.Count ? inner[step.Document] : null;
        }

        return node;
    }

    // A list of thousands of objects is one document: reading it again for each finding would be quadratic.
    private List<Node> Parse()
    {
        var parsed = lastParsed;
        if (parsed is not null && ReferenceEquals(parsed.Text, slice.Text) && parsed.Line == slice.Line && parsed.Documents.TryGetTarget(out var known))
            return known;
        var documents = DocumentParser.Parse(slice, ReadingLimits.Default, out _);
        lastParsed = new Parsed(slice.Text, slice.Line, new WeakReference<List<Node>>(documents));
        return documents;
    }

    // The place of a field is that of its name; the place of an item that of its value.
    private static Node? Enter(Node node, string segment, out Node place)
    {
        place = node;
        switch (node)
        {
            case MapNode map:
                foreach (var entry in map.Entries)
                {
                    if (entry.Key.Text == segment || (LegacyNames.TryGetValue(segment, out var old) && entry.Key.Text == old && map.Find(segment) is null))
                    {
                        place = entry.Key;
                        return entry.Value;
                    }
                }

                return null;
            case ListNode list when int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < list.Items.Count:
                place = list.Items[index];
                return place;
            default:
                return null;
        }
    }

    private sealed record Parsed(string Text, int Line, WeakReference<List<Node>> Documents);
}
