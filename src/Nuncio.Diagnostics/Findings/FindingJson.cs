using System.Text.Json;
using Nuncio.Resources.Findings;

namespace Nuncio.Diagnostics.Findings;

/// <summary>Findings as one JSON object: <c>findings</c> and the number of each level. Absent things are left out.</summary>
internal static class FindingJson
{
    public static void Write(TextWriter writer, Finding[] findings) => JsonDocumentText.Write(writer, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("findings");
        foreach (var finding in findings)
            Write(json, finding);
        json.WriteEndArray();
        json.WriteStartObject("summary");
        json.WriteNumber("errors", findings.Count(finding => finding.Level == FindingLevel.Error));
        json.WriteNumber("warnings", findings.Count(finding => finding.Level == FindingLevel.Warning));
        json.WriteNumber("notices", findings.Count(finding => finding.Level == FindingLevel.Notice));
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter json, Finding finding)
    {
        json.WriteStartObject();
        json.WriteString("code", finding.Code);
        json.WriteString("level", FindingReport.Word(finding.Level));
        json.WriteString("message", finding.Message);
        if (finding.Resource is { } resource)
        {
            json.WriteStartObject("resource");
            json.WriteString("kind", resource.Kind);
            if (resource.Namespace.Length > 0)
                json.WriteString("namespace", resource.Namespace);
            json.WriteString("name", resource.Name);
            json.WriteEndObject();
        }

        if (finding.FieldPath.Length > 0)
            json.WriteString("fieldPath", finding.FieldPath);
        if (finding.Location is { } location)
        {
            json.WriteString("file", location.File);
            json.WriteNumber("line", location.Line);
            json.WriteNumber("column", location.Column);
        }

        if (finding.Suggestion is { } suggestion)
            json.WriteString("suggestion", suggestion);
        json.WriteEndObject();
    }
}
