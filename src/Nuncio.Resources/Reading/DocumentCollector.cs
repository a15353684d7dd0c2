using System.Collections.Immutable;
using System.Globalization;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Reading.Conversion;
using Nuncio.Resources.Reading.Tree;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Resources.Reading;

/// <summary>Collects what one document holds: objects, lists of objects, and the objects in their annotations.</summary>
internal sealed class DocumentCollector(string file, DocumentSlice slice, ReadingOptions options)
{
    private readonly ImmutableArray<Resource>.Builder _resources = ImmutableArray.CreateBuilder<Resource>();
    private readonly List<InvalidResource> _invalid = [];
    private readonly List<KindSeen> _unknownKinds = [];
    private readonly List<KindSeen> _legacyVersions = [];
    private readonly List<Finding> _findings = [];

    public DocumentReading ToReading(bool isBroken) => new(
        slice, _resources.DrainToImmutable(), [.. _invalid], [.. _unknownKinds], [.. _legacyVersions], [.. _findings], isBroken);

    public void Add(Node node) => Add(node, [], null, 0);

    public void Report(DocumentException e) =>
        _findings.Add(new Finding(e.Code, FindingLevel.Error, e.Message, null, "", new SourceLocation(file, e.Line, e.Column)));

    public void ReportDuplicates(List<ScalarNode> keys)
    {
        foreach (var key in keys.Take(options.Limits.MaxFindingsPerDocument))
        {
            _findings.Add(new Finding(
                FindingCodes.DuplicateField, FindingLevel.Warning, $"'{key.Text}' stands twice in this object; the last value counts", null, key.Text,
                LocationOf(key)));
        }
    }

    private void Add(Node node, ImmutableArray<DocumentStep> steps, ObjectHeader? carrier, int depth)
    {
        if (node is ScalarNode { Kind: ScalarKind.Null })
            return;
        if (node is not MapNode map)
        {
            NotAResource(node, $"This is {node.Description}, not a Kubernetes object");
            return;
        }

        var isFolded = carrier is not null || map.Find("metadata") is null && map.Find("name") is not null;
        if (isFolded)
            map = FoldedObject.Unfold(map, carrier);
        if (AddListItems(map, steps, carrier, depth))
            return;
        var header = ObjectHeader.Read(map, file, carrier, this);
        if (header is null)
            return;
        if (KindReader.Find(header.Group, header.Kind) is not { } kind)
        {
            _unknownKinds.Add(new KindSeen(header.ApiVersion, header.Kind, LocationOf(map)));
            return;
        }

        if (!kind.IsServed(header.Version))
        {
            Report(
                FindingCodes.UnsupportedApiVersion, FindingLevel.Error, $"apiVersion {header.ApiVersion} does not exist for {header.Kind}", header.Key,
                "apiVersion", map.Find("apiVersion") ?? map, kind.CurrentApiVersion);

            // Who wrote it wants requests authorized or limited, whatever its version.
            if (header.Kind is AuthServiceResource.KindName or RateLimitServiceResource.KindName)
                AddInvalid(kind, header, map);
            return;
        }

        if (kind.IsLegacy(header.Version))
            _legacyVersions.Add(new KindSeen(header.ApiVersion, header.Kind, LocationOf(map)));
        Read(kind, header, map, steps, carrier);
        if (kind.CarriesAnnotations && carrier is null)
            AddAnnotation(header, steps, depth);
    }

    private void Read(KindReader kind, ObjectHeader header, MapNode map, ImmutableArray<DocumentStep> steps, ObjectHeader? carrier)
    {
        var scope = new ReadingScope(file, options.Limits, _findings, header.Key)
        {
            ReportUnknownFields = kind.HasSchema,
            NullIsAbsent = !kind.HasSchema,
            IsInvalid = header.IsInvalid,
        };
        var resource = kind.Read(map, header, scope, options);
        if (scope.IsInvalid || resource is null)
        {
            AddInvalid(kind, header, map);
            return;
        }

        _resources.Add(resource with
        {
            Labels = header.Labels,
            Annotations = header.Annotations,
            AnnotationOf = carrier?.Key,
            AnnotationNumber = carrier is null ? 0 : steps.Last(static step => step.Name is null).Document + 1,
            Text = new DocumentText(file, slice, steps, LocationOf(map)),
        });
    }

    private void AddInvalid(KindReader kind, ObjectHeader header, MapNode map) => _invalid.Add(new InvalidResource(
        header.Key,
        kind.HasSchema ? KindReader.LenientId(map) ?? [AmbassadorIdPolicy.DefaultId] : null,
        header.Kind == RateLimitServiceResource.KindName && KindReader.LenientDeny(map)));

    /// <summary>Adds the items of <c>kind: List</c>, or of a list of one kind such as <c>MappingList</c>; false when the object is no list.</summary>
    private bool AddListItems(MapNode map, ImmutableArray<DocumentStep> steps, ObjectHeader? carrier, int depth)
    {
        if (map.FindText("kind") is not { } kind || !kind.EndsWith("List", StringComparison.Ordinal) || map.Find("items") is not ListNode items)
            return false;
        if (depth >= options.Limits.MaxDepth)
        {
            NotAResource(map, "Lists are nested too deep");
            return true;
        }

        var itemKind = kind[..^"List".Length];
        for (var i = 0; i < items.Items.Count; i++)
        {
            var item = items.Items[i];
            if (itemKind.Length > 0 && item is MapNode { } itemMap && itemMap.Find("kind") is null && map.FindText("apiVersion") is { } version)
            {
                item = NodeFactory.Map(
                    item, [NodeFactory.Entry(item, "apiVersion", NodeFactory.Text(item, version)),
                        NodeFactory.Entry(item, "kind", NodeFactory.Text(item, itemKind)), .. itemMap.Entries]);
            }

            Add(item, [.. steps, new DocumentStep("items"), new DocumentStep(i.ToString(CultureInfo.InvariantCulture))], carrier, depth + 1);
        }

        return true;
    }

    private void AddAnnotation(ObjectHeader header, ImmutableArray<DocumentStep> steps, int depth)
    {
        if (header.EmbeddedConfig is not { } scalar)
            return;
        try
        {
            var documents = DocumentParser.ParseEmbedded(slice, scalar, options.Limits, out var duplicateKeys);
            ReportDuplicates(duplicateKeys);
            for (var i = 0; i < documents.Count; i++)
            {
                Add(
                    documents[i],
                    [
                        .. steps, new DocumentStep("metadata"), new DocumentStep("annotations"), new DocumentStep(ObjectHeader.ConfigAnnotation),
                        new DocumentStep(null, i),
                    ],
                    header, depth + 1);
            }
        }
        catch (DocumentException e)
        {
            _findings.Add(new Finding(
                FindingCodes.AnnotationUnreadable, FindingLevel.Error, e.Message, header.Key,
                FieldPath.Join("metadata.annotations", ObjectHeader.ConfigAnnotation),
                new SourceLocation(file, e.Line, e.Column)));
        }
    }

    public void NotAResource(Node at, string message) => Report(FindingCodes.NotAResource, FindingLevel.Warning, message, null, "", at);

    public void Report(string code, FindingLevel level, string message, ResourceKey? key, string path, Node at, string? suggestion = null)
    {
        if (_findings.Count < options.Limits.MaxFindingsPerDocument * 10)
            _findings.Add(new Finding(code, level, message, key, path, LocationOf(at), suggestion));
    }

    private SourceLocation LocationOf(Node node) => new(file, node.Line, node.Column);
}
