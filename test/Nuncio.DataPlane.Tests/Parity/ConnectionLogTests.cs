using System.Globalization;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>Logs of connections (of a TCP proxy, and of a listener), and limits on their number.</summary>
public sealed class ConnectionLogTests : IDisposable
{
    private const string Format =
        "%PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% rx=%BYTES_RECEIVED% tx=%BYTES_SENT% %UPSTREAM_CLUSTER% %REQ(:METHOD)% %REQUESTED_SERVER_NAME% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %RESPONSE_CODE_DETAILS%";

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task TcpConnection_IsLoggedWhenItEnds()
    {
        await using var backend = StartEcho();
        await using var pair = await ProxyPair.StartAsync(Tcp(Log("tcp"), "", ProxyPair.Cluster("c", "", (backend.Port, 1))));
        pair.Rejections.ShouldBeEmpty();
        await pair.ExpectAsync("hello", static port => TalkAsync(port, "hello"));
        await ExpectLogsAsync(pair, "tcp", "- 0 - rx=6 tx=5 c - - 127.0.0.1 127.0.0.1 -");
    }

    [Fact]
    public async Task TcpConnection_ThatFindsNoUpstream_IsLoggedWithItsFlags()
    {
        await using var pair = await ProxyPair.StartAsync(Tcp(Log("tcp"), "", ProxyPair.Cluster("c", "", (FreePort.Next(), 1))));
        await pair.ExpectAsync("", static port => TalkAsync(port, ""));
        await ExpectLogsAsync(pair, "tcp", "- 0 UF,URX rx=0 tx=0 c - - 127.0.0.1 - -");
    }

    [Fact]
    public async Task Listener_LogsEachConnection()
    {
        await using var backend = StartEcho();
        await using var pair = await ProxyPair.StartAsync(Tcp("", $"\"access_log\":[{Log("listener")}],", ProxyPair.Cluster("c", "", (backend.Port, 1))));
        pair.Rejections.ShouldBeEmpty();
        await pair.ExpectAsync("hello", static port => TalkAsync(port, "hello"));
        await ExpectLogsAsync(pair, "listener", "- 0 - rx=6 tx=5 c - - 127.0.0.1 127.0.0.1 -");
    }

    [Fact]
    public async Task Listener_WithoutAChainForAConnection_LogsThatToo()
    {
        var resources = Tcp("", $"\"access_log\":[{Log("listener")}],", ProxyPair.Cluster("c", "", (FreePort.Next(), 1)))
            .Replace("{\"filters\"", "{\"filter_chain_match\":{\"prefix_ranges\":[{\"address_prefix\":\"192.0.2.0\",\"prefix_len\":24}]},\"filters\"", StringComparison.Ordinal);
        await using var pair = await ProxyPair.StartAsync(resources);
        pair.Rejections.ShouldBeEmpty();
        await pair.EachAsync(async port => await TalkAsync(port, ""));
        await ExpectLogsAsync(pair, "listener", "- 0 NR rx=0 tx=0 - - - 127.0.0.1 - filter_chain_not_found", atLeast: true);
    }

    [Fact]
    public async Task ConnectionsAboveTheLimit_AreClosed()
    {
        await using var backend = StartEcho();
        const string Limit = """
            {"name":"limit","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit","stat_prefix":"few","max_connections":1} },
            """;
        await using var pair = await ProxyPair.StartAsync(Tcp("", "", ProxyPair.Cluster("c", "", (backend.Port, 1))).Replace("\"filters\":[ ", "\"filters\":[ " + Limit, StringComparison.Ordinal));
        pair.Rejections.ShouldBeEmpty();

        // Envoy's start has connected once already, and that connection may just be closing.
        await UntilNoneIsActiveAsync();
        await pair.ExpectAsync("hello|", static async port =>
        {
            using var first = new TcpClient();
            await first.ConnectAsync("127.0.0.1", port);
            var wire = new HttpWire(first.GetStream());
            await wire.WriteAsync("hello");
            var text = System.Text.Encoding.Latin1.GetString(await wire.ReadExactlyAsync(5));
            return text + "|" + await TalkAsync(port, "more");
        });
        await pair.StatisticsAsync("envoy_connection_limit.*limited_connections");
        await UntilNoneIsActiveAsync();
        await pair.ExpectAsync("again", static port => TalkAsync(port, "again"));

        Task UntilNoneIsActiveAsync() => Until.TrueAsync(async () => (await pair.StatisticsAsync("envoy_connection_limit.*active_connections")).Count == 0);
    }

    public void Dispose() => _folder.Dispose();

    private string Log(string name) => $$"""
        {"name":"f","typed_config":{"@type":"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog","path":"{{_folder.Path}}/{{name}}-PORT.log",
          "log_format":{"text_format_source":{"inline_string":"{{Format}}\n"} } } }
        """;

    private static string Tcp(string log, string listener, string clusters) => $$"""
        {"listeners":[ {"name":"l",{{listener}}"address":{"socket_address":{"address":"127.0.0.1","port_value":"PORT"} },"filter_chains":[ {"filters":[ {"name":"tcp","typed_config":{
          "@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy","stat_prefix":"t","cluster":"c","access_log":[ {{log}} ]} }] }] }],
         "clusters":[ {{clusters}} ]}
        """;

    // What is sent comes back; "!" is the end.
    private static WireBackend StartEcho() => WireBackend.Start(static async (wire, cancellationToken) =>
    {
        int next;
        while ((next = await wire.ReadByteAsync(cancellationToken)) >= 0 && next != '!')
        {
            await wire.WriteAsync(((char)next).ToString(), cancellationToken);
        }
    });

    private static async Task<string> TalkAsync(int port, string text)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        var wire = new HttpWire(client.GetStream());
        try
        {
            await wire.WriteAsync(text.Length > 0 ? text + "!" : "");
            return System.Text.Encoding.Latin1.GetString(await wire.ReadToEndAsync());
        }
        catch (IOException)
        {
            return "";
        }
    }

    private async Task ExpectLogsAsync(ProxyPair pair, string name, string expected, bool atLeast = false)
    {
        await ExpectLogAsync(pair.Port, last: false);
        if (pair.HasEnvoy)
        {
            // The first line is of the connection that asked whether Envoy listens.
            await ExpectLogAsync(pair.EnvoyPort, last: true);
        }

        async Task ExpectLogAsync(int port, bool last)
        {
            var path = Path.Combine(_folder.Path, string.Create(CultureInfo.InvariantCulture, $"{name}-{port}.log"));
            string[] lines = [];
            await Until.TrueAsync(() => (lines = File.Exists(path) ? File.ReadAllLines(path) : []).Length >= (last ? 2 : 1), what: $"a line in {path}");

            if (!atLeast)
            {
                lines.Length.ShouldBe(last ? 2 : 1);
            }

            // Which of Envoy's two connections ended first is chance.
            lines.ShouldContain(expected, last ? "envoy" : "the embedded proxy");
        }
    }
}
