using System.Text;
using Nuncio.Resources.Reading;
using Nuncio.Sources;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Compiler.Tests;

/// <summary>
/// Each folder <c>testdata/compiler/stem-case</c>: what <c>input.yaml</c> compiles to is <c>expect.yaml</c> (a static bootstrap) with the findings of
/// <c>findings.yaml</c>. With <c>NUNCIO_ACCEPT=1</c> the expectations are written instead of compared; look at the difference before it is committed.
/// </summary>
public class GoldenTests
{
    private static readonly string Root = FindRoot();

    public static TheoryData<string> Cases() => [.. Directory.GetDirectories(Root).Select(Path.GetFileName).Order(StringComparer.Ordinal).OfType<string>()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Input_CompilesToWhatIsExpected(string name)
    {
        var folder = Path.Combine(Root, name);
        var reading = new ManifestReader().Read("input.yaml", File.ReadAllText(Path.Combine(folder, "input.yaml")));
        var input = SnapshotAssembler.Assemble(1, [reading], [], SnapshotOptions.Default);
        var result = new SnapshotCompiler(CompilerOptions.Default with { AssumeListeners = true }).Compile(input);
        Check(Path.Combine(folder, "expect.yaml"), XdsYaml.Format(BootstrapEmitter.Emit(result.Snapshot)));
        Check(Path.Combine(folder, "findings.yaml"), Format(input.Findings.AddRange(result.Findings)));
    }

    private static void Check(string file, string actual)
    {
        if (Environment.GetEnvironmentVariable("NUNCIO_ACCEPT") == "1") File.WriteAllText(file, actual);
        actual.ShouldBe(File.Exists(file) ? File.ReadAllText(file) : "");
    }

    private static string Format(IEnumerable<Finding> findings)
    {
        var text = new StringBuilder();
        foreach (var finding in findings)
        {
            text.Append($"- code: {finding.Code}\n  level: {finding.Level.ToString().ToLowerInvariant()}\n");
            if (finding.Resource is { } resource) text.Append($"  resource: {resource}\n");
            if (finding.FieldPath.Length > 0) text.Append($"  field: {finding.FieldPath}\n");
            if (finding.Location is { } location) text.Append($"  line: {location.Line}\n");
        }
        return text.Length == 0 ? "[]\n" : text.ToString();
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var candidate = Path.Combine(folder, "testdata", "compiler");
            if (Directory.Exists(candidate)) return candidate;
        }
        throw new DirectoryNotFoundException("testdata/compiler");
    }
}
