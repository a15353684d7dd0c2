using System.Text.RegularExpressions;
using Nuncio.Cli;
using Nuncio.EndToEndTests.Features;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Documentation;

/// <summary>Every manifest of the manual is taken without an error. The Secrets that one names are made here: readers have their own.</summary>
public sealed partial class ManualTests : IDisposable
{
    private readonly Certificates _certificates = new();

    [Fact]
    public async Task Manifests_OfTheManual_HaveNoErrors()
    {
        var errors = new List<string>();
        foreach (var (place, yaml) in Directory.GetFiles(Path.Combine(TestPaths.Repository, "docs"), "*.md").Order(StringComparer.Ordinal)
            .SelectMany(Manifests))
        {
            using var folder = new TemporaryFolder();
            folder.Write("manifest.yaml", yaml);
            folder.Write("secrets.yaml", Secrets(yaml));
            // In this process: so many starts of the program would take minutes.
            using var output = new StringWriter();
            await CommandLineRunner.RunAsync(["check", folder.Path, "--format", "json"], output, TextWriter.Null);
            var findings = CheckedFinding.Read(output.ToString());
            errors.AddRange(findings.Where(finding => finding.Level == "error").Select(finding => $"{place}: {finding}"));
            // An object that nothing is read of would have no errors either.
            if (findings.Any(finding => finding.Code is "not-a-resource" or "unknown-kind" or "unknown-field"))
                errors.Add($"{place}: something in it is not known");
        }

        errors.ShouldBeEmpty();
    }

    /// <inheritdoc/>
    public void Dispose() => _certificates.Dispose();

    private static IEnumerable<(string Place, string Yaml)> Manifests(string path) =>
        YamlBlock().Matches(File.ReadAllText(path)).Select((match, i) => ($"{Path.GetFileName(path)}, manifest {i + 1}", match.Groups["yaml"].Value));

    private string Secrets(string yaml)
    {
        var names = SecretName().Matches(yaml).Select(match => (Kind: match.Groups["kind"].Value, Name: match.Groups["name"].Value)).Distinct();
        return ManifestText.Expand(
            string.Join('\n', names.Select(secret => $"Secret {secret.Name}: $({Data(secret.Kind, secret.Name)})")), name => _certificates.SecretData(name)!);
    }

    private static string Data(string kind, string name) => kind switch { "ca_" => "ca:clients", "crl_" => "crl:clients:someone", _ => "pair:" + name };

    [GeneratedRegex(@"^```yaml\n(?<yaml>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex YamlBlock();

    [GeneratedRegex(@"(tlsSecret: \{ name|secretName|(?<kind>ca_|crl_|)secret): (?<name>[a-z0-9-]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex SecretName();
}
