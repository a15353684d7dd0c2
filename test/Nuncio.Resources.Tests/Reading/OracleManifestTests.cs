using System.Text.Json;
using System.Text.RegularExpressions;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;
using Nuncio.Testing;

namespace Nuncio.Resources.Tests.Reading;

/// <summary>Reads every recorded manifest (environment variable NUNCIO_ORACLE names their folder).</summary>
public sealed partial class OracleManifestTests
{
    [SkippableFact]
    public void Read_AnyRecordedManifest_RejectsExactlyWhatTheSchemaRejects()
    {
        var differences = new List<string>();
        foreach (var folder in Folders("dev"))
        {
            var reading = Read(folder, out _);
            var rejected = reading.Invalid.Where(invalid => invalid.AmbassadorId is not null).Select(invalid => $"{invalid.Key.Kind}/{invalid.Key.Name}")
                .ToHashSet();
            using var errors = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "errors.json")));
            using var meta = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "meta.json")));
            var expected = errors.RootElement.EnumerateObject().SelectMany(entry => entry.Value.EnumerateArray())
                .Concat(meta.RootElement.GetProperty("crd_schema_errors").EnumerateArray())
                .Select(error => SchemaError().Match(error.GetString()!)).Where(match => match.Success).Select(match => match.Groups[1].Value).ToHashSet();
            // "spec:" with nothing after it is an empty spec to Kubernetes, and so to us; Emissary's own schema check refuses it.
            if (Path.GetFileName(folder) == "edge-host-spec-null")
                expected.Remove("Host/h2").ShouldBeTrue();
            if (!rejected.SetEquals(expected))
                differences.Add($"{Path.GetFileName(folder)}: rejected {string.Join(" ", rejected)}; expected {string.Join(" ", expected)}");
            if (reading.IsBroken)
                differences.Add($"{Path.GetFileName(folder)}: not readable");
        }

        differences.ShouldBeEmpty();
    }

    [SkippableFact]
    public void Read_ManifestThatCrashesEmissary_KeepsTheOtherObjects()
    {
        foreach (var folder in Folders("crashers"))
        {
            var reading = Read(folder, out var documents);
            reading.IsBroken.ShouldBeFalse(folder);
            (reading.Resources.Length + reading.Invalid.Length).ShouldBeGreaterThanOrEqualTo(documents, folder);
            reading.Invalid.Length.ShouldBeLessThanOrEqualTo(1, folder);
        }
    }

    [SkippableFact]
    public void Locate_AnyFieldPathOfAFinding_GivesThePlaceOfTheFinding()
    {
        foreach (var folder in Folders("dev"))
        {
            var reading = Read(folder, out _);
            foreach (var finding in reading.Findings.Where(f => f is { Level: FindingLevel.Warning, FieldPath.Length: > 0, Resource: not null }))
            {
                var resource = reading.Resources.LastOrDefault(r => r.Key == finding.Resource);
                if (resource is not null && finding.Code == FindingCodes.UnknownField)
                    resource.Locate(finding.FieldPath).ShouldBe(finding.Location, $"{folder}: {finding.FieldPath}");
            }
        }
    }

    private static ManifestReading Read(string folder, out int documents)
    {
        var text = File.ReadAllText(Path.Combine(folder, "input.yaml"));
        documents = text.Split("\n---").Count(document => document.Contains("kind:", StringComparison.Ordinal));
        return new ManifestReader().Read("input.yaml", text);
    }

    private static string[] Folders(string name) =>
        Directory.GetDirectories(Path.Combine(TestPaths.RequireOracle(), name));

    // For instance: Listener/l2: spec.port: 70000 is greater than the maximum of 65535
    [GeneratedRegex("^([A-Za-z]+/[^ :]+): spec")]
    private static partial Regex SchemaError();
}
