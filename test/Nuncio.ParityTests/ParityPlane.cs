using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using Nuncio.EndToEndTests;
using Nuncio.EndToEndTests.Features;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.ParityTests;

/// <summary>One gateway with one data plane, and the upstreams behind it.</summary>
internal sealed partial class ParityPlane : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _envoy = new();
    private readonly ParityBackend _up = new();
    private readonly ParityBackend _other = new();
    private readonly WireBackend _silent = WireBackend.Start(Conversations.Silent);
    private readonly int _closed = FreePort.Next();
    private readonly int _port = FreePort.Next();
    private readonly HttpClient _admin;
    private readonly TestProcess _process;

    private ParityPlane(IEnumerable<string> arguments, TestCertificate certificate)
    {
        var admin = FreePort.Next();
        _folder.Write("manifests.yaml", ManifestText.Expand(Exchanges.Manifests, Placeholder) + "\n---\n" + certificate.ToSecretYaml("secure"));
        _admin = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{admin}") };
        var environment = new Dictionary<string, string?>(NuncioCommand.WithoutSettings) { ["ENVOY_CONCURRENCY"] = "1" };
        _process = TestProcess.Start(
            NuncioCommand.Program, ["run", _folder.Path, "--admin", $"127.0.0.1:{admin}", "--drain-time", "0", .. arguments.Select(word => word.Replace("FOLDER", _envoy.Path, StringComparison.Ordinal))],
            environment);
    }

    public static ParityPlane Start(TestCertificate certificate, params IEnumerable<string> arguments) => new(arguments, certificate);

    public async Task WaitUntilReadyAsync()
    {
        for (var tries = 0; tries < 3000; tries++)
        {
            if (_process.HasExited) throw new InvalidOperationException(_process.AllText);
            try
            {
                if ((await _admin.GetAsync("/ambassador/v0/check_ready")).StatusCode == HttpStatusCode.OK) return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(20);
        }

        throw new TimeoutException(_process.AllText);
    }

    /// <summary>Sends the bytes and notes what comes back, whether the connection lives on, and what the upstreams saw.</summary>
    public async Task<Observation> ObserveAsync(Exchange exchange)
    {
        var seen = new Observation();
        try
        {
            await using var client = exchange.ServerName is { } name ? await WireClient.ConnectTlsAsync(_port, name) : await WireClient.ConnectAsync(_port);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await client.Wire.WriteAsync(exchange.Bytes, limit.Token);
            var response = await client.Wire.ReadResponseAsync(exchange.Method, limit.Token);
            seen.AddResponse(response);
            seen.Add("connection", response.Status == 101 ? "switched" : await client.LivesAsync(limit.Token) ? "kept" : "closed");
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException or EndOfStreamException or AuthenticationException)
        {
            seen.Add("status", e is AuthenticationException ? "TLS refused" : "closed without an answer");
        }
        catch (OperationCanceledException)
        {
            seen.Add("status", "no answer in time");
        }

        return seen;
    }

    /// <summary>Adds what may come after the answer: what the upstreams saw, a mirrored request included, and the fields of the access log.</summary>
    public void AddTraces(IReadOnlyDictionary<Exchange, Observation> observations)
    {
        var lines = _process.Output.Select(line => AccessLine().Match(line)).Where(match => match.Success).ToArray();
        foreach (var (exchange, seen) in observations)
        {
            foreach (var (backend, who) in new[] { (_up, "upstream"), (_other, "shadow") })
            {
                var asked = backend.Requests.Where(request => IsOf(request.Target, exchange)).ToArray();
                seen.Add(who + " requests", asked.Length.ToString(CultureInfo.InvariantCulture));
                if (asked.Length > 0) seen.Add(who + " request", ObservedText.Of(asked[0]));
            }

            var own = lines.Where(line => IsOf(line.Groups["target"].Value, exchange)).ToArray();
            seen.Add("log lines", own.Length.ToString(CultureInfo.InvariantCulture));
            if (own.Length == 0) continue;
            foreach (var group in (string[])["method", "target", "protocol", "code", "flags", "received", "sent", "forwarded", "agent", "authority", "upstream"])
                seen.Add("log " + group, own[0].Groups[group].Value);
        }
    }

    /// <summary>Counters that people alert on, by name and labels; those of nothing that happened are left out.</summary>
    public async Task<SortedDictionary<string, string>> StatisticsAsync()
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in (await _admin.GetStringAsync("/metrics")).Split('\n'))
        {
            var space = line.LastIndexOf(' ');
            if (space < 0 || !Watched().IsMatch(line) || line.Contains("xds", StringComparison.Ordinal) || line.Contains("\"admin\"", StringComparison.Ordinal) || line[(space + 1)..] == "0") continue;
            var name = line[..space];
            foreach (var (port, role) in new[] { (_up.Port, "up"), (_other.Port, "other"), (_silent.Port, "silent"), (_closed, "closed") })
                name = name.Replace($"127_0_0_1_{port}", role, StringComparison.Ordinal);
            all[name] = line[(space + 1)..];
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Terminate();
            await _process.WaitForExitAsync();
        }

        await _process.DisposeAsync();
        await _up.DisposeAsync();
        await _other.DisposeAsync();
        await _silent.DisposeAsync();
        _admin.Dispose();
        _envoy.Dispose();
        _folder.Dispose();
    }

    private string Placeholder(string name) => name switch
    {
        "port" => _port.ToString(CultureInfo.InvariantCulture),
        "up" => $"127.0.0.1:{_up.Port}",
        "other" => $"127.0.0.1:{_other.Port}",
        "silent" => $"127.0.0.1:{_silent.Port}",
        _ => $"127.0.0.1:{_closed}",
    };

    private static bool IsOf(string target, Exchange exchange) => Regex.IsMatch(target, $@"[?&]{Regex.Escape(exchange.Name)}($|[&#])");

    [GeneratedRegex("^ACCESS \\[[^\\]]*\\] \"(?<method>\\S*) (?<target>\\S*) (?<protocol>[^\"]*)\" (?<code>\\d+) (?<flags>\\S+) (?<received>\\d+) (?<sent>\\d+) \\S+ \\S+ \"(?<forwarded>[^\"]*)\" \"(?<agent>.*)\" \"[^\"]*\" \"(?<authority>[^\"]*)\" \"(?<upstream>[^\"]*)\"")]
    private static partial Regex AccessLine();

    [GeneratedRegex("^envoy_(cluster_upstream_rq(_xx|_retry|_timeout|_total|_retry_success|_pending_overflow)?|cluster_upstream_cx_connect_fail|http_downstream_rq(_xx|_total|_timeout)|http_no_route|http_rq_direct_response|http_downstream_cx_protocol_error)\\{")]
    private static partial Regex Watched();
}
