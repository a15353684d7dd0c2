using System.Net.Sockets;
using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>CONNECT and upgrades: ended here, passed on, refused; over HTTP/1.1 and HTTP/2.</summary>
public sealed class ConnectTests
{
    private const string Ended = "{\"upgrade_type\":\"CONNECT\",\"connect_config\":{}}";
    private const string PassedOn = "{\"upgrade_type\":\"CONNECT\"}";

    [Fact]
    public async Task Connect_ThatEndsHere_IsATunnelToTheUpstream()
    {
        await using var backend = StartTunnel();
        await using var pair = await StartAsync(Route(Ended), backend.Port);

        await pair.ExpectAsync("200 - ping pong bye", static port => TunnelAsync(port, "CONNECT up.example:443 HTTP/1.1\r\nhost: up.example:443\r\n\r\n"));
        await pair.StatisticsAsync("envoy_cluster_(upstream_cx_total|upstream_rq_total|upstream_rq_xx|upstream_cx_http1_total|external_upstream_rq_xx)\\{");
        await pair.StatisticsAsync("envoy_http_downstream_cx_upgrades_total\\{.*\"test\"");
    }

    [Fact]
    public async Task Post_WhereTheTunnelTakesIt_IsATunnelToo()
    {
        await using var backend = StartTunnel();
        await using var pair = await StartAsync(
            """{"match":{"prefix":"/"},"route":{"cluster":"c","upgrade_configs":[{"upgrade_type":"CONNECT","connect_config":{"allow_post":true}}]} }""",
            backend.Port);

        await pair.ExpectAsync("200 pingbye", static port => ProxyPair.AskAsync(port, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nping!"));
    }

    [Fact]
    public async Task Connect_ThatIsPassedOn_ReachesTheUpstreamAsItCame()
    {
        var seen = new List<string>();
        await using var backend = WireBackend.Start(async (wire, cancellationToken) =>
        {
            var request = await wire.ReadRequestAsync(cancellationToken);
            seen.Add($"{request!.Method} {request.Target} {request["host"]} {request["transfer-encoding"]}{request["content-length"]}");
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nx-tunnel: yes\r\n\r\n", cancellationToken);
            await EchoAsync(wire, cancellationToken);
        });
        await using var pair = await StartAsync(Route(PassedOn), backend.Port);

        await pair.ExpectAsync("200 yes ping pong bye", static port => TunnelAsync(port, "CONNECT up.example:443 HTTP/1.1\r\nhost: up.example:443\r\n\r\n"));
        seen.Distinct().ShouldBe(["CONNECT up.example:443 up.example:443 "]);
    }

    [Fact]
    public async Task Connect_ThatTheUpstreamRefuses_IsRefused()
    {
        await using var backend = WireBackend.Start(static _ => Responses.With(407, "no"));
        await using var pair = await StartAsync(Route(PassedOn), backend.Port);
        await pair.ExpectAsync("407 no", static port => ProxyPair.AskAsync(port, "CONNECT up.example:443 HTTP/1.1\r\nhost: up.example:443\r\n\r\n"));
    }

    [Theory]
    [InlineData("{\"match\":{\"connect_matcher\":{} },\"route\":{\"cluster\":\"c\"} }", "CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", "403")]
    [InlineData(
        "{\"match\":{\"connect_matcher\":{} },\"route\":{\"cluster\":\"c\",\"upgrade_configs\":[{\"upgrade_type\":\"CONNECT\",\"enabled\":false}]} }",
        "CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", "403")]
    [InlineData(
        "{\"match\":{\"prefix\":\"/\"},\"route\":{\"cluster\":\"c\",\"upgrade_configs\":[{\"upgrade_type\":\"CONNECT\"}]} }",
        "CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", "404")]
    [InlineData(
        "{\"match\":{\"prefix\":\"/\"},\"route\":{\"cluster\":\"c\"} }",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", "403")]
    [InlineData(
        "{\"match\":{\"prefix\":\"/other\"},\"route\":{\"cluster\":\"c\"} }",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", "404")]
    public async Task UpgradeThatNobodyAllows_IsRefused(string route, string request, string expected)
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await StartAsync(route, backend.Port);
        await pair.ExpectAsync(expected, port => ProxyPair.AskAsync(port, request));
        await pair.StatisticsAsync("envoy_http_downstream_rq_ws_on_non_ws_route\\{");
    }

    [Fact]
    public async Task Connect_ToAnUpstreamThatIsNotThere_IsAnswered503()
    {
        var port = Nuncio.Testing.FreePort.Next();
        await using var pair = await StartAsync(Route(Ended), port);
        await pair.ExpectAsync("503", static port => FirstWordAsync(port, "CONNECT up.example:443 HTTP/1.1\r\nhost: up.example:443\r\n\r\n"));
        await pair.StatisticsAsync("envoy_cluster_(upstream_cx_connect_fail|upstream_rq_xx|upstream_rq_pending_failure_eject)\\{");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task TunnelsOverHttp2_WorkBetweenEnvoyAndNuncioInBothDirections(bool envoyFirst, bool envoySecond)
    {
        await using var backend = StartTunnel();
        await using var sockets = WireBackend.Start(static async (wire, cancellationToken) =>
        {
            var request = await wire.ReadRequestAsync(cancellationToken);
            await wire.WriteAsync(
                $"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: {request!["upgrade"]}\r\nx-tunnel: {request.Target}\r\n\r\n",
                cancellationToken);
            await EchoAsync(wire, cancellationToken);
        });
        const string Second = """
            {"match":{"connect_matcher":{} },"route":{"cluster":"c","upgrade_configs":[{"upgrade_type":"CONNECT","connect_config":{} }]} },
            {"match":{"prefix":"/ws"},"route":{"cluster":"s","upgrade_configs":[{"upgrade_type":"websocket"}]} }
            """;
        const string First = """
            {"match":{"connect_matcher":{} },"route":{"cluster":"c","upgrade_configs":[{"upgrade_type":"CONNECT"}]} },
            {"match":{"prefix":"/ws"},"route":{"cluster":"c","upgrade_configs":[{"upgrade_type":"websocket"}]} }
            """;
        const string Allow = "\"http2_protocol_options\":{\"allow_connect\":true},";
        await using var second = await ProxyPair.StartAsync(ProxyPair.Resources(
            Host(Second), ProxyPair.Cluster("c", "", (backend.Port, 1)) + "," + ProxyPair.Cluster("s", "", (sockets.Port, 1)), Allow));
        await using var first = await ProxyPair.StartAsync(ProxyPair.Resources(
            Host(First), ProxyPair.Cluster("c", Allow, (envoySecond ? second.EnvoyPort : second.Port, 1))));
        first.Rejections.ShouldBeEmpty();
        second.Rejections.ShouldBeEmpty();
        var port = envoyFirst ? first.EnvoyPort : first.Port;

        (await TunnelAsync(port, "CONNECT up.example:443 HTTP/1.1\r\nhost: up.example:443\r\n\r\n")).ShouldBe("200 - ping pong bye");
        (await TunnelAsync(port, "GET /ws/x HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")).ShouldBe("101 /ws/x ping pong bye");
    }

    private static Task<ProxyPair> StartAsync(string route, int port) =>
        ProxyPair.StartAsync(ProxyPair.Resources(Host(route), ProxyPair.Cluster("c", "", (port, 1))));

    private static string Host(string routes) => $$"""{"name":"h","domains":["*"],"routes":[ {{routes}} ] }""";

    private static string Route(string upgrade) => $$"""{"match":{"connect_matcher":{} },"route":{"cluster":"c","upgrade_configs":[ {{upgrade}} ]} }""";

    private static WireBackend StartTunnel() => WireBackend.Start(EchoAsync);

    // What is sent comes back; "!" is the end.
    private static async Task EchoAsync(HttpWire wire, CancellationToken cancellationToken)
    {
        int next;
        while ((next = await wire.ReadByteAsync(cancellationToken)) >= 0 && next != '!')
        {
            await wire.WriteAsync(((char)next).ToString(), cancellationToken);
        }

        await wire.WriteAsync("bye", cancellationToken);
    }

    private static async Task<string> FirstWordAsync(int port, string request) => (await ProxyPair.AskAsync(port, request)).Split(' ')[0];

    private static async Task<string> TunnelAsync(int port, string request)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", port);
        var wire = new HttpWire(client.GetStream());
        await wire.WriteAsync(request);
        var status = await wire.ReadLineAsync();
        var headers = await wire.ReadHeadersAsync();
        if (!status!.Contains(" 200 ", StringComparison.Ordinal) && !status.Contains(" 101 ", StringComparison.Ordinal))
        {
            return $"{status} {Encoding.Latin1.GetString(await wire.ReadToEndAsync())}";
        }

        await wire.WriteAsync("ping ");
        var text = Encoding.Latin1.GetString(await wire.ReadExactlyAsync(5));
        await wire.WriteAsync("pong ");
        text += Encoding.Latin1.GetString(await wire.ReadExactlyAsync(5));
        await wire.WriteAsync("!");
        text += Encoding.Latin1.GetString(await wire.ReadToEndAsync());
        headers.ShouldNotContain(static header => header.Key == "transfer-encoding" || header.Key == "content-length");
        var shown = headers.Find(static header => header.Key == "x-tunnel").Value ?? "-";
        return $"{status.Split(' ')[1]} {shown} {text}";
    }
}
