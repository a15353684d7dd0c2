using System.Globalization;
using System.Text;
using Nuncio.Resources.Findings;

namespace Nuncio.Diagnostics.Findings;

/// <summary>Findings as lines that people read and editors understand.</summary>
internal static class FindingText
{
    private const string Reset = "\e[0m";

    public static void Write(TextWriter writer, Finding[] findings, bool colour)
    {
        foreach (var finding in findings)
            writer.WriteLine(Line(finding, colour));
        writer.WriteLine(Summary(findings));
    }

    public static string Line(Finding finding, bool colour)
    {
        var line = new StringBuilder();
        if (finding.Location is { } location)
            line.Append(OneLine(location.File)).Append(CultureInfo.InvariantCulture, $":{location.Line}:{location.Column}: ");
        var level = FindingReport.Word(finding.Level);
        line.Append(colour ? Colour(finding.Level) + level + Reset : level).Append(' ').Append(finding.Code).Append(": ");
        if (finding.Resource is { } resource)
            line.Append(OneLine(resource.ToString())).Append(finding.FieldPath.Length > 0 ? " " : ": ");
        if (finding.FieldPath.Length > 0)
            line.Append(OneLine(finding.FieldPath)).Append(": ");
        line.Append(OneLine(finding.Message));
        if (finding.Suggestion is { } suggestion)
            line.Append(" (did you mean ").Append(OneLine(suggestion)).Append("?)");
        return line.ToString();
    }

    private static string Summary(Finding[] findings)
    {
        if (findings.Length == 0)
            return "No findings";
        return string.Join(", ", new[] { FindingLevel.Error, FindingLevel.Warning, FindingLevel.Notice }
            .Select(level => (Level: level, Count: findings.Count(finding => finding.Level == level)))
            .Where(item => item.Count > 0)
            .Select(item => $"{item.Count} {FindingReport.Word(item.Level)}{(item.Count == 1 ? "" : "s")}"));
    }

    // What a manifest says must not be able to move the cursor or start a line of its own.
    private static string OneLine(string text)
    {
        if (!text.Any(char.IsControl))
            return text;
        return string.Concat(text.Select(c => char.IsControl(c) ? c is '\n' or '\r' or '\t' ? " " : "\uFFFD" : c.ToString()));
    }

    private static string Colour(FindingLevel level) => level switch
    {
        FindingLevel.Error => "\e[31m",
        FindingLevel.Warning => "\e[33m",
        _ => "\e[36m",
    };
}
