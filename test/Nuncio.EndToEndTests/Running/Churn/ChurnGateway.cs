using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Running.Churn;

/// <summary>A gateway with backends for every kind of <see cref="SteadyTraffic"/>, and the traffic.</summary>
internal sealed class ChurnGateway : IAsyncDisposable
{
    private const int Others = 50;

    private readonly List<IAsyncDisposable> _backends;
    private readonly WireBackend[] _pods;

    private ChurnGateway(RunningGateway gateway, WireBackend[] pods, IEnumerable<IAsyncDisposable> backends)
    {
        Gateway = gateway;
        _pods = pods;
        _backends = [.. backends];
        Traffic = new SteadyTraffic(gateway.Port);
    }

    public RunningGateway Gateway { get; }

    public SteadyTraffic Traffic { get; }

    /// <summary>The backend that no change concerns.</summary>
    public required WireBackend Kept { get; init; }

    public static async Task<ChurnGateway> StartAsync(TestCertificate certificate)
    {
        var kept = WireBackend.StartEcho();
        var socket = WireBackend.Start(Conversations.WebSocketEcho);
        var stream = WireBackend.Start(Conversations.Streaming(SteadyTraffic.Numbers));
        var tcp = WireBackend.Start(SteadyTraffic.LinesBack);
        // An answer that takes its time meets changes of its endpoint on the way.
        WireBackend[] pods = [.. Enumerable.Range(0, 3).Select(pod => WireBackend.Start(async (wire, cancellationToken) =>
        {
            while (await wire.ReadRequestAsync(cancellationToken) is not null)
            {
                await Task.Delay(20, cancellationToken);
                await wire.WriteAsync(Responses.Ok($"pod {pod}"), cancellationToken);
            }
        }))];
        var tcpPort = FreePort.Next();
        var manifests = new StringBuilder(Manifests.TlsHost("secure", SteadyTraffic.ServerName, "secure"))
            .Append(Manifests.Mapping("kept", "/kept/", kept.Port))
            .Append(Manifests.Mapping("socket", "/socket/", socket.Port, "allow_upgrade: [websocket]"))
            .Append(Manifests.Mapping("stream", "/stream/", stream.Port, "timeout_ms: 600000"))
            .Append(Manifests.Mapping("pods", "/pods/", "pods", "resolver: endpoint", "load_balancer: { policy: round_robin }"))
            .Append(CultureInfo.InvariantCulture, $$"""
                apiVersion: getambassador.io/v3alpha1
                kind: TCPMapping
                metadata: { name: lines, namespace: default }
                spec: { port: {{tcpPort}}, service: "127.0.0.1:{{tcp.Port}}" }
                ---
                apiVersion: v1
                kind: Service
                metadata: { name: pods, namespace: default }
                spec: { ports: [{ port: 80 }] }
                ---

                """);
        for (var i = 0; i < Others; i++)
            manifests.Append(Manifests.Mapping($"other-{i}", $"/other-{i}/", kept.Port, $"add_request_headers: {{ x-other: {{ value: '{i}' }} }}"));
        var gateway = await RunningGateway.StartAsync(manifests.ToString());
        var churn = new ChurnGateway(gateway, pods, [kept, socket, stream, tcp, .. pods]) { Kept = kept };
        churn.WriteCertificate(certificate);
        churn.WriteEndpoints(0, 1, 2);
        await churn.WaitForCertificateAsync(certificate);
        await gateway.SendUntilAsync(response => response.Status == 200, "/pods/");
        churn.Traffic
            .KeepAlive("/kept/").KeepAlive("/kept/", tls: true).NewConnections("/kept/").NewConnections("/kept/", tls: true).KeepAlive("/pods/").NewConnections("/pods/")
            .Uploads("/kept/").Http2("/kept/").Stream("/stream/").Http2Stream("/stream/").Tcp(tcpPort);
        for (var i = 0; i < 10; i++) churn.Traffic.WebSocket("/socket/");
        return churn;
    }

    /// <summary>Gives the TLS Host this certificate.</summary>
    public void WriteCertificate(TestCertificate certificate) => Gateway.Replace("secret.yaml", certificate.ToSecretYaml("secure"));

    /// <summary>Waits until a new connection gets that certificate.</summary>
    public Task WaitForCertificateAsync(TestCertificate certificate) => Until.TrueAsync(() => IsServedAsync(certificate));

    /// <summary>Gives the service <c>pods</c> these endpoints.</summary>
    public void WriteEndpoints(params int[] pods)
    {
        var subsets = pods.Select(pod => string.Create(CultureInfo.InvariantCulture, $"- {{ addresses: [{{ ip: 127.0.0.1 }}], ports: [{{ port: {_pods[pod].Port} }}] }}\n"));
        Gateway.Replace("endpoints.yaml", $"apiVersion: v1\nkind: Endpoints\nmetadata: {{ name: pods, namespace: default }}\nsubsets:\n{string.Concat(subsets)}");
    }

    /// <summary>
    /// What the garbage collector kept: the least of some looks, since everything that a request or a change left behind counts until it is collected.
    /// </summary>
    public async Task<long> LiveBytesAsync()
    {
        var least = long.MaxValue;
        for (var look = 0; look < 20; look++)
        {
            var metrics = await Gateway.AdminTextAsync("/metrics");
            var line = metrics.Split('\n').First(line => line.StartsWith("envoy_server_memory_allocated{", StringComparison.Ordinal));
            least = Math.Min(least, long.Parse(line[(line.IndexOf('}', StringComparison.Ordinal) + 2)..], CultureInfo.InvariantCulture));
            await Task.Delay(25);
        }

        return least;
    }

    public async ValueTask DisposeAsync()
    {
        await Traffic.DisposeAsync();
        await Gateway.DisposeAsync();
        foreach (var backend in _backends) await backend.DisposeAsync();
    }

    private async Task<bool> IsServedAsync(TestCertificate certificate)
    {
        try
        {
            await using var client = await WireClient.ConnectTlsAsync(Gateway.Port, SteadyTraffic.ServerName);
            return ((SslStream)client.Stream).RemoteCertificate!.GetRawCertData().SequenceEqual(certificate.Certificate.RawData);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return false;
        }
    }
}
