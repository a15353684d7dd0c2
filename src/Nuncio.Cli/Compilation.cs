using System.Collections.Immutable;
using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.Compiler;
using Nuncio.Diagnostics.Findings;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;
using Nuncio.Resources.Snapshots;
using Nuncio.Sources;
using Nuncio.Sources.Files;
using Nuncio.Sources.Istio;

namespace Nuncio.Cli;

/// <summary>Reads and compiles manifests once: what check, compile and explain have in common.</summary>
/// <param name="Resources">What was read.</param>
/// <param name="Result">What was compiled.</param>
internal sealed record Compilation(ResourceSnapshot Resources, CompilationResult Result)
{
    /// <summary>Of reading and compiling.</summary>
    public ImmutableArray<Finding> Findings => [.. Resources.Findings, .. FindingReport.WithPlaces(Result.Findings, Resources)];

    /// <param name="input">The options of the command.</param>
    /// <param name="parsed">Its command line.</param>
    /// <param name="servesHttp3">Whether what is to serve the result can serve HTTP/3.</param>
    public static Compilation Of(InputOptions input, ParseResult parsed, bool servesHttp3)
    {
        var environment = new GatewayEnvironment(Environment.GetEnvironmentVariable);
        var options = input.Compiler(parsed, environment, servesHttp3);
        var reader = new ManifestReader(new ReadingOptions { Environment = Environment.GetEnvironmentVariable });
        var files = new FileSource(
            parsed.GetRequiredValue(input.Paths), reader, FileSourceOptions.Default, TimeProvider.System, NullLogger<FileSource>.Instance);
        var changes = files.ReadOnce();
        if (environment.IstioSecretFolder is { } folder)
            changes = [.. new IstioSecretSource(folder, options.Namespace, reader, TimeProvider.System).ReadOnce(), .. changes];
        var units = changes.Where(change => change.Reading is not null).Select(change => change.Reading!).ToList();
        var resources = SnapshotAssembler.Assemble(1, units, changes.SelectMany(change => change.Findings), input.Snapshots(parsed, environment));
        return new Compilation(resources, new SnapshotCompiler(options).Compile(resources));
    }
}
