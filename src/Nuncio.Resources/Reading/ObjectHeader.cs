using Nuncio.Resources.Collections;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading;

/// <summary>What every Kubernetes object has: apiVersion, kind and metadata.</summary>
internal sealed class ObjectHeader
{
    /// <summary>The annotation that holds resources of getambassador.io.</summary>
    public const string ConfigAnnotation = "getambassador.io/config";

    private const string LastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
    private const string DefaultNamespace = "default";

    public required string ApiVersion { get; init; }

    /// <summary>Empty for the core group.</summary>
    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Kind { get; init; }

    public required ResourceKey Key { get; init; }

    public required ValueMap<string> Labels { get; init; }

    public required ValueMap<string> Annotations { get; init; }

    /// <summary>The text of <see cref="ConfigAnnotation"/>.</summary>
    public ScalarNode? EmbeddedConfig { get; init; }

    /// <summary>Whether labels or annotations have a wrong type.</summary>
    public bool IsInvalid { get; init; }

    /// <summary>Reads the header; null, with a finding, when there is no kind or name.</summary>
    public static ObjectHeader? Read(MapNode map, string file, ObjectHeader? carrier, DocumentCollector collector)
    {
        var apiVersion = map.FindText("apiVersion") ?? "";
        if (map.FindText("kind") is not { Length: > 0 } kind || (apiVersion.Length == 0 && carrier is null))
        {
            collector.NotAResource(map, "This is not a Kubernetes object: it has no apiVersion and kind");
            return null;
        }

        if (apiVersion.Length == 0)
        {
            collector.Report(FindingCodes.UnsupportedApiVersion, FindingLevel.Error, $"This {kind} has no apiVersion", carrier!.Key, "apiVersion", map);
            return null;
        }

        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        var group = slash < 0 ? "" : apiVersion[..slash];
        var metadata = map.Find("metadata") as MapNode;
        var name = metadata?.Find("name");
        var reader = KindReader.Find(group, kind);
        if (name is not ScalarNode { Kind: ScalarKind.Text, Text: { Length: > 0 } nameText })
        {
            // Objects of kinds that are not read may be named by generateName, and are no concern.
            if (reader is null)
            {
                nameText = "";
            }
            else
            {
                collector.Report(
                    name is null ? FindingCodes.FieldMissing : FindingCodes.WrongType, FindingLevel.Error,
                    name is null ? $"This {kind} has no metadata.name" : $"metadata.name must be text, not {name.Description}", null, "metadata.name",
                    name ?? map);
                return null;
            }
        }

        var ns = reader is { IsClusterScoped: true } ? "" : metadata?.FindText("namespace") is { Length: > 0 } written ? written : DefaultNamespace;
        var key = new ResourceKey(kind, ns, nameText);
        var labels = ReadTexts(metadata, "labels", key, collector, out var labelsAreInvalid);
        var annotations = ReadTexts(metadata, "annotations", key, collector, out var annotationsAreInvalid);
        return new ObjectHeader
        {
            ApiVersion = apiVersion,
            Group = group,
            Version = apiVersion[(slash + 1)..],
            Kind = kind,
            Key = key,
            Labels = labels,
            Annotations = annotations.Count == 0
                ? annotations
                : ValueMap.Create(annotations.Entries.Where(e => e.Key is not (ConfigAnnotation or LastAppliedAnnotation))),
            EmbeddedConfig = (metadata?.Find("annotations") as MapNode)?.Find(ConfigAnnotation) as ScalarNode,
            IsInvalid = reader is not null && (labelsAreInvalid || annotationsAreInvalid),
        };
    }

    private static ValueMap<string> ReadTexts(MapNode? metadata, string name, ResourceKey key, DocumentCollector collector, out bool isInvalid)
    {
        isInvalid = false;
        switch (metadata?.Find(name))
        {
            case null or ScalarNode { Kind: ScalarKind.Null }:
                return ValueMap<string>.Empty;
            case MapNode map:
                var entries = new List<KeyValuePair<string, string>>(map.Entries.Count);
                foreach (var entry in map.Entries)
                {
                    if (entry.Value is ScalarNode { Kind: ScalarKind.Text } text)
                    {
                        entries.Add(new KeyValuePair<string, string>(entry.Key.Text, text.Text));
                        continue;
                    }

                    // A number without quotes is meant as text; an API server would reject the object.
                    var scalar = entry.Value as ScalarNode;
                    if (scalar is not null)
                        entries.Add(new KeyValuePair<string, string>(entry.Key.Text, scalar.Kind == ScalarKind.Null ? "" : scalar.Text));
                    isInvalid |= scalar is null;
                    var path = FieldPath.Join("metadata." + name, entry.Key.Text);
                    collector.Report(
                        FindingCodes.WrongType, scalar is null ? FindingLevel.Error : FindingLevel.Warning,
                        $"{path} must be text, not {entry.Value.Description}",
                        key, path, entry.Value, scalar is null ? null : $"\"{scalar.Text}\"");
                }

                return ValueMap.Create(entries);
            case { } node:
                isInvalid = true;
                collector.Report(FindingCodes.WrongType, FindingLevel.Error, $"metadata.{name} must be an object", key, "metadata." + name, node);
                return ValueMap<string>.Empty;
        }
    }
}
