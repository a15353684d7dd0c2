using System.Collections.Immutable;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading;

/// <summary>
/// Reads the text of a manifest, YAML or JSON, into typed resources and findings. Never throws for what is in the text. Documents that did not change since
/// the previous reading keep their resources as the same objects.
/// </summary>
public sealed class ManifestReader(ReadingOptions options)
{
    /// <summary>Reads with the default options.</summary>
    public ManifestReader()
        : this(ReadingOptions.Default)
    {
    }

    /// <summary>Reads one text.</summary>
    /// <param name="file">What findings call it.</param>
    /// <param name="text">All of it.</param>
    /// <param name="previous">What the same file held before; null when it is new.</param>
    public ManifestReading Read(string file, string text, ManifestReading? previous = null)
    {
        if (text.Length > options.Limits.MaxFileLength)
        {
            var finding = new Finding(
                FindingCodes.DocumentTooLarge, FindingLevel.Error, $"The file has more than {options.Limits.MaxFileLength} characters", null, "",
                new SourceLocation(file, 1, 1));
            return new ManifestReading { Findings = [finding], IsBroken = true };
        }

        if (text.StartsWith('\uFEFF'))
            text = text[1..];
        var slices = DocumentParser.LooksLikeJson(text) && !text.Contains("\n---", StringComparison.Ordinal)
            ? [new DocumentSlice(text, 1)]
            : DocumentSplitter.Split(text);
        var known = Index(file, previous);
        var documents = ImmutableArray.CreateBuilder<DocumentReading>(slices.Count);
        foreach (var slice in slices)
            documents.Add(Find(known, slice) ?? ReadDocument(file, slice));
        return Combine(documents.MoveToImmutable());
    }

    private static Dictionary<string, List<DocumentReading>>? Index(string file, ManifestReading? previous)
    {
        if (previous is null || previous.Documents.IsDefaultOrEmpty)
            return null;
        var index = new Dictionary<string, List<DocumentReading>>(previous.Documents.Length, StringComparer.Ordinal);
        foreach (var document in previous.Documents)
        {
            if (document.Findings.Any(finding => finding.Location?.File != file))
                continue;
            if (!index.TryGetValue(document.Slice.Text, out var same))
                index.Add(document.Slice.Text, same = []);
            same.Add(document);
        }

        return index;
    }

    private static DocumentReading? Find(Dictionary<string, List<DocumentReading>>? known, DocumentSlice slice)
    {
        if (known is null || !known.TryGetValue(slice.Text, out var candidates))
            return null;
        var document = candidates.Find(candidate => candidate.Slice.Line == slice.Line);
        return document ?? candidates[0].MovedTo(slice.Line);
    }

    private static ManifestReading Combine(ImmutableArray<DocumentReading> documents) => new()
    {
        Documents = documents,
        Resources = [.. documents.SelectMany(d => d.Resources)],
        Invalid = [.. documents.SelectMany(d => d.Invalid)],
        UnknownKinds = [.. documents.SelectMany(d => d.UnknownKinds)],
        LegacyVersions = [.. documents.SelectMany(d => d.LegacyVersions)],
        Findings = [.. documents.SelectMany(d => d.Findings)],
        IsBroken = documents.Any(d => d.IsBroken),
    };

    private DocumentReading ReadDocument(string file, DocumentSlice slice)
    {
        var collector = new DocumentCollector(file, slice, options);
        var isBroken = false;
        try
        {
            var nodes = DocumentParser.Parse(slice, options.Limits, out var duplicateKeys);
            collector.ReportDuplicates(duplicateKeys);
            foreach (var node in nodes)
                collector.Add(node);
        }
        catch (DocumentException e)
        {
            isBroken = true;
            collector.Report(e);
        }

        return collector.ToReading(isBroken);
    }
}
