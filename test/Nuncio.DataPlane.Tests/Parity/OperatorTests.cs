using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>Command operators say the same with both.</summary>
public sealed class OperatorTests
{
    private static readonly (string Name, string Said)[] Operators =
    [
        ("PATH", "/x/1?q=7"),
        ("PATH(NQ)", "/x/1"),
        ("PATH(WQ:PATH)", "/y/1?q=7"),
        ("PATH(NQ:ORIG)", "/x/1"),
        ("PATH(WQ:ORIG_OR_PATH)", "/x/1?q=7"),
        ("QUERY_PARAMS", "q=7"),
        ("QUERY_PARAMS(ORIG)", "q=7"),
        ("UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "127.0.0.1"),
        ("UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16)", "127.0.0.0/16"),
        ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(30)", "127.0.0.0/30"),
        ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT(7)", "126.0.0.0/7"),
        ("FILTER_STATE(nobody)", ""),
        ("UPSTREAM_TLS_VERSION", ""),
        ("UPSTREAM_TLS_CIPHER", ""),
    ];

    [Fact]
    public async Task Operators_SayTheSame()
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            $$"""
            {"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/x"},"route":{"cluster":"c","prefix_rewrite":"/y"},
              "response_headers_to_add":[{"header":{"key":"x-said","value":"[{{string.Join('|', Operators.Select(static one => $"%{one.Name}%"))}}]"} }] }] }
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1))));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(
            $"200 x-said=[{string.Join('|', Operators.Select(static one => one.Said))}",
            static async port => (await ProxyPair.AskAsync(port, "GET /x/1?q=7 HTTP/1.1\r\nhost: a\r\n\r\n", "x-said")).Split("] ")[0]);
    }

    [Fact]
    public async Task VirtualCluster_IsNamedByTheRouter()
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"h","domains":["*"],"virtual_clusters":[{"name":"mine","headers":[{"name":":path","string_match":{"prefix":"/mine"} }] }],
              "response_headers_to_add":[{"header":{"key":"x-said","value":"[%VIRTUAL_CLUSTER_NAME%]"} }],
              "routes":[{"match":{"prefix":"/mine/direct"},"direct_response":{"status":204} },{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1))));
        pair.Rejections.ShouldBeEmpty();

        foreach (var (path, expected) in new[] { ("/mine/1", "200 x-said=[mine]"), ("/theirs", "200 x-said=[]"), ("/mine/direct", "204 x-said=[]") })
        {
            await pair.ExpectAsync(expected, async port => (await ProxyPair.AskAsync(port, $"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n", "x-said")).Split("] ")[0].TrimEnd(']') + "]");
        }
    }
}
