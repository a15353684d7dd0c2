using System.Text.Json;
using Nuncio.Diagnostics.Findings;
using Nuncio.Resources;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Reading;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Diagnostics.Tests.Findings;

public sealed class FindingReportTests
{
    private static readonly Finding[] Findings =
    [
        new(FindingCodes.UnknownField, FindingLevel.Warning, "spec.timout_ms is unknown", new ResourceKey("Mapping", "default", "b"), "spec.timout_ms",
            new SourceLocation("dir/b file.yaml", 9, 3), "timeout_ms"),
        new(FindingCodes.UnknownKind, FindingLevel.Notice, "Deployment is not read"),
        new(FindingCodes.WrongType, FindingLevel.Error, "bad \e[31m\nvalue", new ResourceKey(
            "Mapping", "default", "a"), "spec.grpc", new SourceLocation("/x/a.yaml", 2, 1)),
    ];

    [Fact]
    public void Write_Text_GivesOneLineEachAndNoControlCharacters()
    {
        var lines = Write(FindingFormat.Text).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        lines.Length.ShouldBe(4);
        lines[0].ShouldBe("notice unknown-kind: Deployment is not read");
        lines[1].ShouldStartWith("/x/a.yaml:2:1: error wrong-type: Mapping/default/a spec.grpc: bad ");
        lines[2].ShouldStartWith("dir/b file.yaml:9:3: warning unknown-field: ");
        lines[3].ShouldBe("1 error, 1 warning, 1 notice");
        string.Concat(lines).Any(char.IsControl).ShouldBeFalse();
    }

    [Fact]
    public void Write_Json_HoldsEverythingKnown()
    {
        using var document = JsonDocument.Parse(Write(FindingFormat.Json));

        var finding = document.RootElement.GetProperty("findings")[2];
        finding.GetProperty("code").GetString().ShouldBe("unknown-field");
        finding.GetProperty("level").GetString().ShouldBe("warning");
        finding.GetProperty("resource").GetProperty("name").GetString().ShouldBe("b");
        finding.GetProperty("fieldPath").GetString().ShouldBe("spec.timout_ms");
        finding.GetProperty("line").GetInt32().ShouldBe(9);
        finding.GetProperty("suggestion").GetString().ShouldBe("timeout_ms");
        document.RootElement.GetProperty("summary").GetProperty("errors").GetInt32().ShouldBe(1);
    }

    [Fact]
    public void Write_Sarif_RefersToItsRulesAndFiles()
    {
        using var document = JsonDocument.Parse(Write(FindingFormat.Sarif));

        document.RootElement.GetProperty("version").GetString().ShouldBe("2.1.0");
        var run = document.RootElement.GetProperty("runs")[0];
        var rules = run.GetProperty("tool").GetProperty("driver").GetProperty("rules");
        foreach (var result in run.GetProperty("results").EnumerateArray())
            rules[result.GetProperty("ruleIndex").GetInt32()].GetProperty("id").GetString().ShouldBe(result.GetProperty("ruleId").GetString());
        var levels = run.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("level").GetString());
        levels.ShouldBe(["note", "error", "warning"]);
        Location(run, 1).ShouldBe("file:///x/a.yaml");
        Location(run, 2).ShouldBe("dir/b%20file.yaml");
    }

    [Theory]
    [InlineData(FindingFormat.Text)]
    [InlineData(FindingFormat.Json)]
    [InlineData(FindingFormat.Sarif)]
    public void Write_NoFindings_IsStillADocument(FindingFormat format)
    {
        var text = new StringWriter();
        FindingReport.Write(text, [], format);

        text.ToString().ShouldNotBeEmpty();
        if (format != FindingFormat.Text)
            JsonDocument.Parse(text.ToString()).Dispose();
    }

    [Fact]
    public void WithPlaces_FindingOfTheCompiler_GetsThePlaceOfItsField()
    {
        var reading = new ManifestReader().Read(
            "a.yaml", "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata:\n  name: a\nspec:\n  prefix: /\n  service: s\n");
        var mapping = reading.Resources.ShouldHaveSingleItem().ShouldBeOfType<MappingResource>();
        var snapshot = new ResourceSnapshot { Mappings = [mapping] };

        var finding = FindingReport.WithPlaces([new Finding("any", FindingLevel.Error, "m", mapping.Key, "spec.service")], snapshot).ShouldHaveSingleItem();

        finding.Location.ShouldBe(new SourceLocation("a.yaml", 7, 3));
    }

    private static string Write(FindingFormat format)
    {
        var text = new StringWriter();
        FindingReport.Write(text, Findings, format);
        return text.ToString();
    }

    private static string? Location(JsonElement run, int index) => run.GetProperty("results")[index].GetProperty("locations")[0]
        .GetProperty("physicalLocation").GetProperty("artifactLocation").GetProperty("uri").GetString();
}
