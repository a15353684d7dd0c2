using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Xunit.Abstractions;

namespace Nuncio.EndToEndTests.Running.Churn;

/// <summary>
/// Change after change under traffic of every kind: nothing that a change does not concern may notice it, and nothing may be left behind.
/// <c>NUNCIO_CHURN</c> multiplies how much is changed.
/// </summary>
public sealed class ChurnTests(ITestOutputHelper output) : IDisposable
{
    // What a change left behind would be some 100 kB each, since each configuration has more than 50 routes.
    private const long Tolerance = 24 * 1024 * 1024;

    private static readonly int Times = int.TryParse(Environment.GetEnvironmentVariable("NUNCIO_CHURN"), CultureInfo.InvariantCulture, out var times) ? times : 1;

    private readonly TestCertificate _certificate = TestCertificate.Create([SteadyTraffic.ServerName]);

    [Fact]
    public async Task RouteChanges_2000UnderTraffic_DisturbNothingAndLeaveNothingBehind()
    {
        await using var churn = await ChurnGateway.StartAsync(_certificate);
        await using var asking = await WireClient.ConnectAsync(churn.Gateway.Port);
        await ChangeRoutesAsync(churn, asking, 1, 200);
        await churn.Traffic.ContinueAsync(5);
        var before = await churn.LiveBytesAsync();

        await ChangeRoutesAsync(churn, asking, 201, 2000 * Times);

        await AssertUndisturbedAsync(churn, before);
    }

    [Fact]
    public async Task EndpointsCertificatesAndListeners_ChangedUnderTraffic_DisturbNothingAndLeaveNothingBehind()
    {
        using var second = TestCertificate.Create([SteadyTraffic.ServerName]);
        await using var churn = await ChurnGateway.StartAsync(_certificate);
        await ChangeListenersAsync(churn, 5);
        await churn.Traffic.ContinueAsync(5);
        var before = await churn.LiveBytesAsync();

        await Task.WhenAll(ChangeEndpointsAsync(churn, 300 * Times), RotateAsync(churn, second, 20 * Times), ChangeListenersAsync(churn, 20 * Times));

        await AssertUndisturbedAsync(churn, before);
    }

    public void Dispose() => _certificate.Dispose();

    // Each is waited for: so many configurations are in effect one after the other.
    private static async Task ChangeRoutesAsync(ChurnGateway churn, WireClient asking, int first, int last)
    {
        for (var change = first; change <= last; change++)
        {
            var mark = change.ToString(CultureInfo.InvariantCulture);
            churn.Gateway.Replace("edited.yaml", Manifests.Mapping("edited", "/edited/", churn.Kept.Port, $"add_response_headers: {{ x-change: {{ value: '{mark}' }} }}"));
            for (var begun = Stopwatch.GetTimestamp(); (await asking.SendAsync("GET", "/edited/", "example.com"))["x-change"] != mark;)
            {
                if (Stopwatch.GetElapsedTime(begun) > Until.Limit) throw new TimeoutException($"change {mark} does not take effect");
                await Task.Delay(1);
            }
        }
    }

    // 100 a second; what comes within one batch of the gateway becomes one configuration.
    private static async Task ChangeEndpointsAsync(ChurnGateway churn, int changes)
    {
        int[][] sets = [[0, 1], [1, 2], [0, 2], [2], [0, 1, 2], [1]];
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        for (var change = 0; change < changes; change++)
        {
            churn.WriteEndpoints(sets[change % sets.Length]);
            await tick.WaitForNextTickAsync();
        }

        churn.WriteEndpoints(0, 1, 2);
    }

    private async Task RotateAsync(ChurnGateway churn, TestCertificate second, int rotations)
    {
        for (var rotation = 0; rotation < rotations; rotation++)
        {
            var certificate = rotation % 2 == 0 ? second : _certificate;
            churn.WriteCertificate(certificate);
            await churn.WaitForCertificateAsync(certificate);
        }
    }

    // A connection to a listener that goes away finishes what it has begun.
    private static async Task ChangeListenersAsync(ChurnGateway churn, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var port = FreePort.Next();
            churn.Gateway.Replace("listener.yaml", $$"""
                apiVersion: getambassador.io/v3alpha1
                kind: Listener
                metadata: { name: more, namespace: default }
                spec: { port: {{port}}, protocol: HTTP, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
                """);
            await UntilAsync(port, open: true);
            await using var client = await WireClient.ConnectAsync(port);
            (await client.SendAsync("GET", "/kept/", "example.com")).Status.ShouldBe(200);
            await client.Wire.WriteAsync("GET /pods/ HTTP/1.1\r\nhost: example.com\r\n\r\n");
            churn.Gateway.Delete("listener.yaml");
            (await client.Wire.ReadResponseAsync()).Status.ShouldBe(200);
            await UntilAsync(port, open: false);
        }
    }

    private static Task UntilAsync(int port, bool open) => Until.TrueAsync(async () => await IsOpenAsync(port) == open, what: $"port {port} is open: {open}");

    private static async Task<bool> IsOpenAsync(int port)
    {
        try
        {
            await using var client = await WireClient.ConnectAsync(port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task AssertUndisturbedAsync(ChurnGateway churn, long before)
    {
        await churn.Traffic.ContinueAsync(5);
        var after = await churn.LiveBytesAsync();
        var faults = await churn.Traffic.StopAsync();
        output.WriteLine($"{churn.Traffic}\n{before:N0} bytes before, {after:N0} after");
        faults.ShouldBeEmpty();
        churn.Traffic.Done.Values.ShouldAllBe(done => done >= 10);
        (after - before).ShouldBeLessThan(Tolerance);
    }
}
