using System.Text;
using Nuncio.Resources.Reading;
using Nuncio.Sources;
using Nuncio.Testing;
using Nuncio.Xds;

namespace Nuncio.Compiler.Tests;

/// <summary>
/// testdata/compiler/CASE: input.yaml compiled gives expect.yaml (virtual hosts, clusters, endpoints) and findings.yaml. With NUNCIO_UPDATE_GOLDEN=1 the
/// expectations are written instead of compared; look at the difference before you commit it.
/// </summary>
public class GoldenTests
{
    private static readonly string Root = Path.Combine(TestPaths.Repository, "testdata", "compiler");

    public static TheoryData<string> Cases() => [.. Directory.GetDirectories(Root).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Compile_Input_GivesWhatIsExpected(string name)
    {
        var folder = Path.Combine(Root, name);
        var reading = new ManifestReader().Read("input.yaml", File.ReadAllText(Path.Combine(folder, "input.yaml")));
        var snapshot = SnapshotAssembler.Assemble(1, [reading], [], SnapshotOptions.Default);
        var result = new SnapshotCompiler(CompilerOptions.Default).Compile(snapshot);
        Compare(Path.Combine(folder, "expect.yaml"), Messages(result.Snapshot));
        Compare(Path.Combine(folder, "findings.yaml"), Findings(snapshot.Findings.AddRange(result.Findings)));
    }

    private static string Messages(XdsSnapshot snapshot)
    {
        var text = new StringBuilder();
        foreach (var (name, table) in snapshot.RouteConfigurations.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            text.Append("--- # routes ").Append(name).Append('\n').Append(XdsYaml.Format(table.Message));
        foreach (var (name, cluster) in snapshot.Clusters.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            text.Append("--- # cluster ").Append(name).Append('\n').Append(XdsYaml.Format(cluster.Message));
        foreach (var (name, endpoints) in snapshot.Endpoints.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            text.Append("--- # endpoints ").Append(name).Append('\n').Append(XdsYaml.Format(endpoints.Message));
        return text.ToString();
    }

    /// <summary>Messages are for people and may change, so they are not in here.</summary>
    private static string Findings(ImmutableArray<Finding> findings) =>
        string.Concat(findings
            .Select(f => $"- {{level: {f.Level}, code: {f.Code}, resource: {f.Resource}, field: '{f.FieldPath}', line: {f.Location?.Line}}}\n")
            .Order(StringComparer.Ordinal));

    private static void Compare(string path, string actual)
    {
        if (Environment.GetEnvironmentVariable("NUNCIO_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, actual);
            return;
        }

        actual.ShouldBe(File.ReadAllText(path));
    }
}
