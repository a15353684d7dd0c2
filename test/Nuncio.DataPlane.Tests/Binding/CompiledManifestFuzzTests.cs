using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.Compiler;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tcp;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Tls;
using Nuncio.Resources.Reading;
using Nuncio.Sources;
using Nuncio.Testing;
using Nuncio.Testing.Fuzzing;
using Nuncio.Xds;
using Xunit.Abstractions;

namespace Nuncio.DataPlane.Tests.Binding;

/// <summary>
/// Manifests with changed values, from text to what the proxy holds: nothing fails, what was compiled before changes nothing, and the proxy refuses nothing of
/// what the compiler makes of a user's mistakes. One compilation costs as much as a thousand inputs of other targets and counts so.
/// See <see cref="FuzzSettings"/>.
/// </summary>
[Collection(FuzzCollection.Name)]
public sealed partial class CompiledManifestFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Values =
    [
        "", "null", "true", "false", "0", "1", "-1", "3.5", "99999", "4294967296", "1e999", "\"\"", "\" \"", "[]", "{}", "[a]", "{a: b}", "\"*\"",
        "\"*.a.example\"", "a.example:99", "\"/\"", "//", "\"(\"", "\"[a\"", "\"a b\"", "\"%\"", "\"%REQ(\"", "\"%REQ(x)%\"", "\"\\\\1\"", "\"a\\nb\"", "\"a\\0b\"", "é",
        "http://", "https://x", "x:99999", "x:http", "\":80\"", "10.0.0.1/99", "::1", "5xx", "-5s", "3s", "Route", "Reject", "HTTPS", "ssl", new('a', 300),
    ];

    [Fact]
    public Task Compile_AnyManifest_GivesWhatTheProxyTakes() => Run(Path.Combine(TestPaths.Repository, "testdata", "compiler"));

    [SkippableFact]
    public Task Compile_AnyRecordedManifest_GivesWhatTheProxyTakes() => Run(Path.Combine(TestPaths.RequireOracle(), "dev"));

    private async Task Run(string folder)
    {
        string[] corpus = [.. Directory.GetFiles(folder, "input.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllText)];
        var options = CompilerOptions.Default with { AssumeListeners = true };
        var inputs = Math.Max(1, FuzzSettings.Inputs(100_000) / 1_000);
        var findings = 0L;
        var failures = new List<string>();
        var remembering = new SnapshotCompiler(options);
        for (var i = 0; i < inputs; i++)
        {
            var random = new Random(FuzzSettings.Seed + i);
            var text = Change(random, corpus);
            var reading = new ManifestReader().Read("input.yaml", text);
            try
            {
                var input = SnapshotAssembler.Assemble(i + 1, [reading], [], SnapshotOptions.Default);
                var result = remembering.Compile(input);
                findings += result.Findings.Length + input.Findings.Length;
                var fresh = new SnapshotCompiler(options).Compile(input);
                Versions(result.Snapshot).ShouldBe(Versions(fresh.Snapshot), "what was compiled before changed the result");
                foreach (var refusal in await Refusals(fresh.Snapshot)) failures.Add($"Seed {FuzzSettings.Seed + i} failed: {refusal}");
            }
            catch (Exception e)
            {
                failures.Add($"Seed {FuzzSettings.Seed + i} failed with {e}\n{(inputs == 1 ? text : "")}");
            }
        }

        output.WriteLine($"{inputs} manifests, {findings} findings");
        failures.ShouldBeEmpty(string.Join('\n', failures.Take(20)));
    }

    private static IEnumerable<string> Versions(XdsSnapshot snapshot) => snapshot.Listeners.Select(pair => $"{pair.Key} {pair.Value.Version}")
        .Concat(snapshot.RouteConfigurations.Select(pair => $"{pair.Key} {pair.Value.Version}"))
        .Concat(snapshot.Clusters.Select(pair => $"{pair.Key} {pair.Value.Version}"))
        .Concat(snapshot.Endpoints.Select(pair => $"{pair.Key} {pair.Value.Version}"))
        .Concat(snapshot.Secrets.Select(pair => $"{pair.Key} {pair.Value.Version}"))
        .Order(StringComparer.Ordinal);

    private static async Task<List<string>> Refusals(XdsSnapshot snapshot)
    {
        var refusals = new List<string>();
        void Note(string kind, string name, object? model, BindErrors errors)
        {
            if (model is null) refusals.Add($"{kind} {name}: {string.Join("; ", errors.All)}");
        }

        using var upstreams = new Upstreams();
        using var timers = new TimerService(TimeProvider.System);
        var secrets = new SecretTable();
        var rejections = new List<XdsRejection>();
        secrets.Apply(snapshot.Secrets, rejections);
        refusals.AddRange(rejections.Where(rejection => !rejection.IsPartial).Select(rejection => rejection.ToString()));
        var clusters = new ClusterBinder(new UpstreamTransports(secrets, TimeProvider.System).Bind);
        foreach (var cluster in snapshot.Clusters.Values)
        {
            var errors = new BindErrors();
            Note("cluster", cluster.Name, clusters.Bind(cluster.Message, errors), errors);
        }

        var metrics = new MetricsRegistry();
        await using var http = new HttpBinding(upstreams.Table, new RouteConfigurationTable(), timers, metrics, NullLoggerFactory.Instance);
        foreach (var routes in snapshot.RouteConfigurations.Values)
        {
            var errors = new BindErrors();
            Note("routes", routes.Name, http.BindRouteConfiguration(routes.Message, "", errors), errors);
        }

        var chains = new FilterChainBinder(
            http.BindConnectionManager,
            (message, path, errors) => TcpProxyBinder.Bind(message, path, http.AccessLogs, errors) is { } model
                ? new TcpProxyFilterModel(model, upstreams.Table, timers, metrics)
                : null,
            secrets,
            metrics,
            TimeProvider.System);
        var listeners = new ListenerBinder(chains, http.AccessLogs);
        // HTTP/3 is Envoy's alone: the embedded proxy refuses such a listener, which says so.
        foreach (var listener in snapshot.Listeners.Values.Where(listener => listener.Message.UdpListenerConfig is null))
        {
            var errors = new BindErrors();
            Note("listener", listener.Name, listeners.Bind(listener.Message, null, errors), errors);
        }

        return refusals;
    }

    private static string Change(Random random, string[] corpus)
    {
        var text = corpus[random.Next(corpus.Length)];
        if (random.Next(4) == 0) text += "\n---\n" + corpus[random.Next(corpus.Length)];
        for (var changes = random.Next(1, 5); changes > 0; changes--)
        {
            if (random.Next(6) == 0)
            {
                var lines = text.Split('\n').ToList();
                var at = random.Next(lines.Count);
                if (random.Next(2) == 0) lines.RemoveAt(at);
                else lines.Insert(random.Next(lines.Count), lines[at]);
                text = string.Join('\n', lines);
                continue;
            }

            var places = Scalar().Matches(text);
            if (places.Count == 0) continue;
            var place = places[random.Next(places.Count)].Groups[1];
            var value = random.Next(3) > 0 ? Values[random.Next(Values.Length)] : places[random.Next(places.Count)].Groups[1].Value;
            text = new StringBuilder(text).Remove(place.Index, place.Length).Insert(place.Index, value).ToString();
        }

        return text;
    }

    [GeneratedRegex("""[:-] +("[^"\n]*"|'[^'\n]*'|[^\s{}\[\],|>"'][^\s{}\[\],]*)""")]
    private static partial Regex Scalar();
}
