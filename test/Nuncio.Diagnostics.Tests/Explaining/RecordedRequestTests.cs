using System.Collections.Immutable;
using System.Text.Json;
using Nuncio.Compiler;
using Nuncio.Diagnostics.Explaining;
using Nuncio.Resources.Reading;
using Nuncio.Sources;
using Nuncio.Testing;
using Xunit.Abstractions;

namespace Nuncio.Diagnostics.Tests.Explaining;

/// <summary>Explains requests that were recorded on a real Envoy (NUNCIO_ORACLE names the folder of recordings) and compares what the upstream saw.</summary>
public sealed class RecordedRequestTests(ITestOutputHelper log)
{
    // The rest are differences on purpose (docs/compatibility.md) and what the recording decided by chance or by an authorization service.
    private const double ExpectedShare = 0.97;

    [SkippableFact]
    public void Explain_RecordedRequests_SaysWhatTheUpstreamSaw()
    {
        var oracle = TestPaths.RequireOracle();
        var compared = 0;
        var different = new List<string>();
        foreach (var recording in Directory.GetFiles(Path.Combine(oracle, "behaviour"), "*.json").Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileNameWithoutExtension(recording);
            var explainer = ExplainerFor(Path.Combine(oracle, "dev", name));
            using var document = JsonDocument.Parse(File.ReadAllText(recording));
            foreach (var row in document.RootElement.GetProperty("rows").EnumerateArray())
            {
                if (ExpectedPath(row) is not { } expected)
                    continue;
                compared++;
                var outcome = explainer.Explain(RequestOf(row.GetProperty("request"))).Outcome;
                // A tunnel passes the request on as it came.
                var explained = outcome switch
                {
                    ForwardOutcome forward => forward.Path,
                    TunnelOutcome => row.GetProperty("request").GetProperty("path").GetString(),
                    _ => null,
                };
                if (explained != expected)
                    different.Add($"{name}: {row.GetProperty("request")}: expected {expected}, explained {outcome}");
            }
        }

        log.WriteLine($"{compared} requests, {different.Count} different");
        foreach (var line in different.Take(60))
            log.WriteLine(line);
        compared.ShouldBeGreaterThan(1000);
        (different.Count / (double)compared).ShouldBeLessThan(1 - ExpectedShare);
    }

    /// <summary>The path that the upstream saw, where every recorded outcome agrees on one.</summary>
    private static string? ExpectedPath(JsonElement row)
    {
        string? expected = null;
        foreach (var outcome in row.GetProperty("outcomes").EnumerateArray())
        {
            if (!outcome.TryGetProperty("upstream", out var upstream) || !upstream.TryGetProperty("path", out var path))
                return null;
            if (expected is not null && expected != path.GetString())
                return null;
            expected = path.GetString();
        }

        return expected;
    }

    private static ExplainRequest RequestOf(JsonElement request)
    {
        var isTls = request.GetProperty("tls").GetBoolean();
        // Some recorded hosts carry a port of their own.
        var name = request.GetProperty("sni").GetString()?.Split(':')[0];
        var headers = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        headers.Add(new("host", request.GetProperty("host").GetString()!));
        foreach (var header in request.GetProperty("headers").EnumerateArray())
            headers.Add(new(header[0].GetString()!.ToLowerInvariant(), header[1].GetString()!));
        return new ExplainRequest
        {
            Url = new Uri($"{(isTls ? "https" : "http")}://{name ?? "127.0.0.1"}:{request.GetProperty("port").GetInt32()}/"),
            PathAndQuery = request.GetProperty("path").GetString()!,
            Method = request.GetProperty("method").GetString()!,
            Headers = headers.ToImmutable(),
        };
    }

    private static Explainer ExplainerFor(string folder)
    {
        using var meta = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "meta.json")));
        var environment = meta.RootElement.GetProperty("env");
        var own = environment.TryGetProperty("AMBASSADOR_NAMESPACE", out var found) ? found.GetString()! : "default";
        var isSingle = environment.TryGetProperty("AMBASSADOR_SINGLE_NAMESPACE", out _);
        var isLenient = environment.TryGetProperty("DISABLE_STRICT_LABEL_SELECTORS", out _);
        var options = SnapshotOptions.Default with { OnlyNamespace = isSingle ? own : null, OnlySecretNamespace = isSingle ? own : null };
        var reading = new ManifestReader().Read("input.yaml", File.ReadAllText(Path.Combine(folder, "input.yaml")));
        var resources = SnapshotAssembler.Assemble(1, [reading], [], options);
        var compiler = new SnapshotCompiler(CompilerOptions.Default with { Namespace = own, StrictLabelSelectors = !isLenient, AssumeListeners = true });
        return new Explainer(resources, compiler.Compile(resources));
    }
}
