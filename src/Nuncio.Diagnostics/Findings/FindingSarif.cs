using System.Reflection;
using System.Text.Json;
using Nuncio.Resources.Findings;

namespace Nuncio.Diagnostics.Findings;

/// <summary>Findings as a SARIF 2.1.0 log (OASIS) with one run.</summary>
internal static class FindingSarif
{
    public static void Write(TextWriter writer, Finding[] findings)
    {
        var codes = findings.Select(finding => finding.Code).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        JsonDocumentText.Write(writer, json =>
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
            json.WriteString("version", "2.1.0");
            json.WriteStartArray("runs");
            json.WriteStartObject();
            WriteTool(json, codes);
            json.WriteString("columnKind", "utf16CodeUnits");
            json.WriteStartArray("results");
            foreach (var finding in findings)
                WriteResult(json, finding, Array.BinarySearch(codes, finding.Code, StringComparer.Ordinal));
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static void WriteTool(Utf8JsonWriter json, string[] codes)
    {
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", "nuncio");
        json.WriteString("version", typeof(FindingSarif).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0");
        json.WriteStartArray("rules");
        foreach (var code in codes)
        {
            json.WriteStartObject();
            json.WriteString("id", code);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteResult(Utf8JsonWriter json, Finding finding, int rule)
    {
        json.WriteStartObject();
        json.WriteString("ruleId", finding.Code);
        json.WriteNumber("ruleIndex", rule);
        json.WriteString("level", finding.Level == FindingLevel.Notice ? "note" : FindingReport.Word(finding.Level));
        json.WriteStartObject("message");
        var text = finding.Resource is { } resource ? $"{resource}: {finding.Message}" : finding.Message;
        json.WriteString("text", finding.Suggestion is { } suggestion ? $"{text} (did you mean {suggestion}?)" : text);
        json.WriteEndObject();
        WriteLocations(json, finding);
        json.WriteEndObject();
    }

    private static void WriteLocations(Utf8JsonWriter json, Finding finding)
    {
        if (finding.Location is null && finding.Resource is null)
            return;
        json.WriteStartArray("locations");
        json.WriteStartObject();
        if (finding.Location is { } location)
        {
            json.WriteStartObject("physicalLocation");
            json.WriteStartObject("artifactLocation");
            json.WriteString("uri", Uri(location.File));
            json.WriteEndObject();
            json.WriteStartObject("region");
            json.WriteNumber("startLine", location.Line);
            json.WriteNumber("startColumn", location.Column);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        if (finding.Resource is { } resource)
        {
            json.WriteStartArray("logicalLocations");
            json.WriteStartObject();
            json.WriteString("fullyQualifiedName", finding.FieldPath.Length == 0 ? resource.ToString() : $"{resource}/{finding.FieldPath}");
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteEndArray();
    }

    // Relative paths stay relative (to the checkout), so that a code host finds the file.
    private static string Uri(string path) => Path.IsPathRooted(path)
        ? new UriBuilder { Scheme = System.Uri.UriSchemeFile, Host = "", Path = path }.Uri.AbsoluteUri
        : string.Join('/', path.Split('/').Where(segment => segment != ".").Select(System.Uri.EscapeDataString));
}
