using System.Globalization;
using System.Text.Json;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>A client that leaves while a script of its request waits for a call: the call ends, nothing stays behind, and the log says so.</summary>
public sealed class LuaClientGoneTests
{
    private const string Call = "h:httpCall('c', {[':method'] = 'GET', [':path'] = '/call', [':authority'] = 'a'}, 'x', 3600000)";

    [Theory]
    [InlineData("function envoy_on_request(h) " + Call + " end", "0 DC downstream_remote_disconnect")]
    [InlineData("function envoy_on_response(h) " + Call + " end", "200 DC downstream_remote_disconnect")]
    public async Task ClientThatLeavesInACall_EndsTheCall(string script, string logged)
    {
        using var folder = new TemporaryFolder();
        var (called, ended) = (0, 0);
        await using var backend = WireBackend.Start(async (wire, cancellation) =>
        {
            while (await wire.ReadRequestAsync(cancellation) is { } request)
            {
                if (request.Target != "/call")
                {
                    await wire.WriteAsync(Responses.Ok("ok"), cancellation);
                    continue;
                }

                Interlocked.Increment(ref called);
                try
                {
                    await wire.ReadToEndAsync(cancellation);
                }
                catch (IOException)
                {
                    // Reset is an end too.
                }

                Interlocked.Increment(ref ended);
                return;
            }
        });
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            $$"""
            "access_log":[{"name":"f","typed_config":{"@type":"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
              "path":"{{folder.Path}}/PORT.log","log_format":{"text_format_source":{"inline_string":"%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n"} } } }],
            """,
            $$$"""
            {"name":"lua","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
              "default_source_code":{"inline_string":{{{JsonSerializer.Serialize(script)}}} } } },
            """));
        pair.Rejections.ShouldBeEmpty();
        var times = 0;
        List<string> lines = [];
        await pair.EachAsync(async port =>
        {
            times++;
            await using (var client = await WireClient.ConnectAsync(port))
            {
                await client.Wire.WriteAsync("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
                await Until.TrueAsync(() => Volatile.Read(ref called) == times);
            }

            await Until.TrueAsync(() => Volatile.Read(ref ended) == times);
            var path = Path.Combine(folder.Path, string.Create(CultureInfo.InvariantCulture, $"{port}.log"));
            var log = "";
            await Until.TrueAsync(() => (log = File.Exists(path) ? ReadShared(path) : "").EndsWith('\n'));
            lines.Add(log.TrimEnd());
            foreach (var gauge in (string[])
                ["envoy_cluster_upstream_rq_active{envoy_cluster_name=\"c\"}", "envoy_http_downstream_rq_active{envoy_http_conn_manager_prefix=\"test\"}"])
            {
                await Until.TrueAsync(async () => await pair.CountAsync(port, gauge) == 0);
            }
        });
        lines.ShouldBe(Enumerable.Repeat(logged, times));
    }

    private static string ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }
}
