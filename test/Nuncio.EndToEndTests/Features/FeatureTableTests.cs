using System.Reflection;
using System.Text;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features;

/// <summary>
/// docs/features.md is written from features.tsv (id, priority, feature, what it waits for) and from the <see cref="FeatureAttribute"/>s of the tests. The
/// variable NUNCIO_ACCEPT=1 writes it anew.
/// </summary>
public class FeatureTableTests
{
    private static readonly (string Prefix, string Title)[] Areas =
    [
        ("MAP", "Mappings: matching"), ("TRF", "Mappings: traffic"), ("HL", "Hosts and Listeners"), ("TLS", "TLS"), ("TCP", "TCP"), ("RES", "Resolvers"),
        ("EXT", "Authorisation, rate limits, logs and traces"), ("MOD", "Module"), ("OBS", "Observability and health"), ("K8S", "Kubernetes"),
    ];

    private static string DataPath => Path.Combine(TestPaths.Repository, "test/Nuncio.EndToEndTests/Features/features.tsv");

    private static string PagePath => Path.Combine(TestPaths.Repository, "docs/features.md");

    [Fact]
    public void FeaturesPage_IsWhatTheTestsSay()
    {
        var page = Page();
        if (Environment.GetEnvironmentVariable("NUNCIO_ACCEPT") == "1") File.WriteAllText(PagePath, page);

        File.ReadAllText(PagePath).ShouldBe(page, "run the tests with NUNCIO_ACCEPT=1 to write docs/features.md anew");
    }

    [Fact]
    public void TestedRows_AreInTheTable() => TestsByRow().Keys.ShouldBeSubsetOf(Rows().Select(row => row.Id));

    [Fact]
    public void CoreAndImportantRows_HaveTests()
    {
        var tests = TestsByRow();

        Rows().Where(row => row.Priority != "edge" && row.WaitsFor.Length == 0 && !tests.ContainsKey(row.Id)).Select(row => $"{row.Id} {row.Feature}")
            .ShouldBeEmpty();
    }

    private static string Page()
    {
        var tests = TestsByRow();
        var rows = Rows();
        var text = new StringBuilder("""
            # Features

            What Emissary's users know, and the end-to-end tests that show it against the running program. A test named with "both" runs on the embedded proxy and, on the
            configuration that `nuncio compile` writes, on Envoy. The page is written by the tests themselves: `NUNCIO_ACCEPT=1 dotnet test --filter FeatureTableTests`.

            """);
        foreach (var (prefix, title) in Areas)
        {
            text.Append("\n## ").Append(title).Append("\n\n| row | feature | priority | tests |\n|---|---|---|---|\n");
            foreach (var row in rows.Where(row => row.Id.StartsWith(prefix + "-", StringComparison.Ordinal)))
            {
                var shown = tests.TryGetValue(row.Id, out var names) ? string.Join("<br>", names)
                    : row.WaitsFor.Length > 0 ? $"not yet: it waits for {row.WaitsFor}" : "none yet";
                text.Append($"| {row.Id} | {row.Feature} | {row.Priority} | {shown} |\n");
            }
        }

        return text.ToString();
    }

    private static List<(string Id, string Priority, string Feature, string WaitsFor)> Rows() =>
        [.. File.ReadLines(DataPath).Select(line => line.Split('\t')).Select(cells => (cells[0], cells[1], cells[2], cells.ElementAtOrDefault(3) ?? ""))];

    private static SortedDictionary<string, List<string>> TestsByRow()
    {
        var tests = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var type in typeof(FeatureTableTests).Assembly.GetTypes().OrderBy(type => type.Name, StringComparer.Ordinal))
        {
            foreach (var method in type.GetMethods().OrderBy(method => method.Name, StringComparer.Ordinal))
            {
                if (method.GetCustomAttribute<FeatureAttribute>() is not { } feature) continue;
                var both = method.GetParameters().Any(parameter => parameter.ParameterType == typeof(DataPlane));
                foreach (var row in feature.Rows)
                {
                    if (!tests.TryGetValue(row, out var names)) tests.Add(row, names = []);
                    names.Add($"`{type.Name}.{method.Name}`{(both ? " (both)" : "")}");
                }
            }
        }

        return tests;
    }
}
