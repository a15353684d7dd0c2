using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Text;
using Nuncio.Compiler;
using Nuncio.EndToEndTests.Features;
using Nuncio.ParityTests.Areas;
using Nuncio.ParityTests.Static;
using Nuncio.Testing;
using Xunit.Abstractions;

namespace Nuncio.ParityTests;

/// <summary>The same manifests on the embedded proxy and on a real Envoy that is fed over ADS, and the same bytes to both.</summary>
public sealed class ParityTests(ITestOutputHelper output)
{
    private static readonly IReadOnlyList<Area> Areas = [Http2Area.Value, GrpcArea.Value, ResilienceArea.Value, FilterArea.Value, RouteArea.Value, TcpArea.Value, TlsArea.Value];

    // What closes takes Envoy a second each.
    private const int AtATime = 9;

    [SkippableFact]
    public async Task EveryExchange_IsEqualOnBothPlanes_OrListed()
    {
        var program = TestPaths.RequireProgram("envoy");
        // While working on one area: NUNCIO_PARITY_AREA names it, "manifests" for all that runs on manifests.
        var only = Environment.GetEnvironmentVariable("NUNCIO_PARITY_AREA");
        var (differences, settled) = await CompareAsync(program, only);
        if (differences.Count + settled.Count > 0)
        {
            // What counts is what stays: a machine that stalls for a moment makes either proxy late once.
            var again = await CompareAsync(program, only);
            differences = [.. differences.IntersectBy(again.Differences.Select(Subject), Subject)];
            settled = [.. settled.Intersect(again.Settled)];
        }

        differences.ShouldBeEmpty();
        settled.ShouldBeEmpty();
    }

    private static string Subject(string difference) => difference.Split(": embedded [", 2)[0];

    private async Task<(IReadOnlyList<string> Differences, IReadOnlyList<string> Settled)> CompareAsync(string program, string? only)
    {
        var comparison = new Comparison();
        await Task.WhenAll(
            only is null or "manifests" ? CompareManifestsAsync(program, comparison) : Task.CompletedTask,
            only is "manifests" ? Task.CompletedTask : CompareMessagesAsync(program, only is null or "messages" ? Areas : [.. Areas.Where(area => area.Name == only)], comparison));

        // What was settled meanwhile is good news, and its line has to go: it would hide the next difference.
        string[] settled = only is null ? [.. comparison.Settled] : [];
        foreach (var entry in settled) output.WriteLine($"listed, but equal: {entry}");
        foreach (var difference in comparison.Listed) output.WriteLine($"listed: {difference}");
        foreach (var difference in comparison.Differences) output.WriteLine($"differs: {difference}");
        foreach (var total in comparison.Totals) output.WriteLine(total);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Exchanges.All.Count + Areas.Sum(area => area.Scenarios.Count)} exchanges, {comparison.Compared} behaviours compared, {comparison.Listed.Count} differ as listed, {comparison.Differences.Count} differ unlisted"));
        return (comparison.Differences, settled);
    }

    // Manifests, compiled by nuncio and given to Envoy over ADS.
    private static async Task CompareManifestsAsync(string program, Comparison comparison)
    {
        using var certificate = TestCertificate.Create(["secure.example.com", "modern.example.com", "strict.example.com"]);
        await using var embedded = ParityPlane.Start(certificate);
        await using var envoy = ParityPlane.Start(
            certificate, "--data-plane", "envoy", "--envoy", program, "--envoy-admin", $"127.0.0.1:{FreePort.Next()}", "--envoy-folder", "FOLDER");
        await Task.WhenAll(embedded.WaitUntilReadyAsync(), envoy.WaitUntilReadyAsync());
        var ours = new ConcurrentDictionary<Exchange, Observation>();
        var theirs = new ConcurrentDictionary<Exchange, Observation>();
        await Task.WhenAll(Exchanges.All.GroupBy(exchange => exchange.Area).SelectMany(area => area.Chunk(AtATime)).Select(async area =>
        {
            foreach (var exchange in area)
            {
                var both = await Task.WhenAll(embedded.ObserveAsync(exchange), envoy.ObserveAsync(exchange));
                (ours[exchange], theirs[exchange]) = (both[0], both[1]);
            }
        }));

        // Envoy writes its access log every ten seconds.
        await Task.Delay(TimeSpan.FromSeconds(12));
        await AddAsync(comparison, async () =>
        {
            embedded.AddTraces(ours);
            envoy.AddTraces(theirs);
            var statistics = (await embedded.StatisticsAsync(), await envoy.StatisticsAsync());
            return comparison =>
            {
                foreach (var exchange in Exchanges.All) comparison.Add(exchange.Area, exchange.Name, ours[exchange], theirs[exchange]);
                comparison.AddStatistics("", statistics.Item1, statistics.Item2);
            };
        });
    }

    // Logs, statistics and mirrored requests come when they come, later where the machine is busy: what still differs after a minute does differ.
    private static async Task AddAsync(Comparison comparison, Func<Task<Action<Comparison>>> look)
    {
        for (var tries = 0; ; tries++)
        {
            var compare = await look();
            var attempt = new Comparison();
            compare(attempt);
            if (attempt.Differences.Count > 0 && tries < 30)
            {
                await Task.Delay(TimeSpan.FromSeconds(2));
                continue;
            }

            lock (comparison) compare(comparison);
            return;
        }
    }

    // Envoy's messages as they stand: what manifests cannot ask for, and what needs upstreams of another kind.
    private static async Task CompareMessagesAsync(string program, IReadOnlyList<Area> areas, Comparison comparison)
    {
        using var certificates = new Certificates();
        await using var embedded = StaticPlane.Start(areas, certificates, null);
        await using var envoy = StaticPlane.Start(areas, certificates, program);
        await envoy.WaitUntilReadyAsync();
        var ours = new ConcurrentDictionary<Scenario, Observation>();
        var theirs = new ConcurrentDictionary<Scenario, Observation>();
        await Task.WhenAll(areas.Select(async area =>
        {
            foreach (var scenario in area.Scenarios)
            {
                var (mine, other) = (new Observation(), new Observation());
                await Task.WhenAll(scenario.RunAsync(embedded, mine), scenario.RunAsync(envoy, other));
                envoy.ThrowIfEnded(scenario.Name);
                (ours[scenario], theirs[scenario]) = (mine, other);
            }
        }));

        // Both write their logs within a second or so.
        await Task.Delay(TimeSpan.FromSeconds(2));
        await AddAsync(comparison, async () =>
        {
            await embedded.AddTracesAsync(ours);
            await envoy.AddTracesAsync(theirs);
            var statistics = (await embedded.StatisticsAsync(), await envoy.StatisticsAsync());
            return comparison =>
            {
                foreach (var area in areas)
                {
                    foreach (var scenario in area.Scenarios) comparison.Add(area.Name, scenario.Name, ours[scenario], theirs[scenario]);
                }

                comparison.AddStatistics("messages", statistics.Item1, statistics.Item2);
            };
        });
    }

    /// <summary>By the names that the compiler gives them; HTTP/3 apart, which the embedded proxy does not have.</summary>
    [Fact]
    public void EveryFilterThatTheCompilerEmits_AndEveryLoadBalancer_IsInAnExchange()
    {
        const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        var messages = string.Concat(Areas.SelectMany(area => area.Listeners.Concat(area.Clusters)));
        string[] filters =
        [
            .. typeof(SnapshotCompiler).Assembly.GetTypes().SelectMany(type => type.GetFields(Any)).Where(field => field.IsLiteral && field.FieldType == typeof(string))
                .Select(field => (string)field.GetRawConstantValue()!).Where(name => name.StartsWith("envoy.filters.", StringComparison.Ordinal)).Distinct(),
        ];

        filters.ShouldContain("envoy.filters.http.router");
        filters.ShouldContain("envoy.filters.network.tcp_proxy");
        filters.Where(name => !messages.Contains($"envoy.extensions{name["envoy".Length..]}.v3.", StringComparison.Ordinal)).ShouldBeEmpty();
        new[] { "ROUND_ROBIN", "LEAST_REQUEST", "RING_HASH", "RANDOM", "MAGLEV" }
            .Where(policy => !messages.Contains($"\"lb_policy\":\"{policy}\"", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    /// <summary>With NUNCIO_ACCEPT set the page is written instead.</summary>
    [Fact]
    public void Page_SaysWhatIsCompared_AndWhatDiffers()
    {
        var path = Path.Combine(TestPaths.Repository, "docs", "parity.md");
        if (Environment.GetEnvironmentVariable("NUNCIO_ACCEPT") == "1") File.WriteAllText(path, Page());

        File.ReadAllText(path).ShouldBe(Page());
    }

    private static string Page()
    {
        var text = new StringBuilder("""
            # Do the embedded proxy and Envoy behave alike?

            This page is generated by `test/Nuncio.ParityTests` (`NUNCIO_ACCEPT=1 dotnet test test/Nuncio.ParityTests`). Its test serves one set of manifests with the embedded proxy and
            with a real Envoy that nuncio feeds over ADS, and one set of Envoy's messages as they stand with both, sends the same bytes to both, and compares: the status line, every header,
            the body, the trailers, interim answers, frames of HTTP/2, whether the connection lives on, how often which upstream was asked and what it saw, how long what has a limit took, the
            fields of the access log with the response flags and details, and counters that people alert on. What differs from run to run (dates, ids, ports, durations) is left out, and so is
            what chance decides (which endpoint a random policy takes; its shares are compared).


            """.ReplaceLineEndings("\n"));
        text.Append("| what | exchanges |\n|---|---|\n");
        foreach (var area in Exchanges.All.GroupBy(exchange => exchange.Area)) text.Append(CultureInfo.InvariantCulture, $"| {area.Key} | {area.Count()} |\n");
        foreach (var area in Areas) text.Append(CultureInfo.InvariantCulture, $"| {area.Name} | {area.Scenarios.Count} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| all | {Exchanges.All.Count + Areas.Sum(area => area.Scenarios.Count)} |\n\n## What differs\n\n");
        if (KnownDifferences.All.Count == 0) return text.Append("Nothing.\n").ToString();
        text.Append("| exchange | aspect | why |\n|---|---|---|\n");
        foreach (var (exchange, aspect, why) in KnownDifferences.All) text.Append(CultureInfo.InvariantCulture, $"| {exchange} | {aspect.Replace("|", "\\|", StringComparison.Ordinal)} | {why} |\n");
        return text.ToString();
    }
}
