using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>What the proxy answers by itself passes the response hooks of all filters, however early it is known.</summary>
public sealed class LocalReplyFilterTests
{
    private const string Filters = """
        {"name":"first","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua","default_source_code":{"inline_string":
          "function envoy_on_request(h) if h:headers():get('x-stop') then h:respond({[':status']='418'}, 'stopped') end end"}}},
        {"name":"second","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua","default_source_code":{"inline_string":
          "function envoy_on_response(h) h:headers():add('x-lua', 'yes') end"}}},
        """;

    [Theory]
    [InlineData("Ga / HTTP/1.1\r\nhost: a\r\n\r\n", "400 x-lua=yes Bad Request")]
    [InlineData("GET /%2Fx HTTP/1.1\r\nhost: a\r\n\r\n", "400 x-lua=yes")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "400 x-lua=yes")]
    [InlineData("GET / HTTP/1.0\r\nhost: a\r\n\r\n", "426 x-lua=yes Upgrade Required")]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\na_b: c\r\n\r\n", "400 x-lua=yes Bad Request")]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\na b: c\r\n\r\n", "400 x-lua=yes Bad Request")]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: foo\r\n\r\n", "501 x-lua=yes Not Implemented")]
    [InlineData("GET / HTTP/1.1\r\nhost: a b\r\n\r\n", "400 x-lua=yes Bad Request")]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\nconnection: te, host\r\n\r\n", "400 x-lua=yes")]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n", "403 x-lua=yes")]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\nx-stop: 1\r\n\r\n", "418 x-lua=yes stopped")]
    [InlineData("GET /direct HTTP/1.1\r\nhost: a\r\n\r\n", "200 x-lua=yes hi")]
    [InlineData("GET / HTTP/1.1\r\nhost: other\r\n\r\n", "404 x-lua=yes")]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\n", "408 x-lua=yes request header timeout")]
    public async Task LocalReply_BeforeOrAmongTheFilters_PassesThemAll(string request, string expected)
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"h","domains":["a"],"routes":[{"match":{"path":"/direct"},"direct_response":{"status":200,"body":{"inline_string":"hi"}}},
              {"match":{"prefix":"/"},"route":{"cluster":"c"}}]}
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            """
            "normalize_path":true,"path_with_escaped_slashes_action":"REJECT_REQUEST","request_headers_timeout":"0.5s",
            "common_http_protocol_options":{"headers_with_underscores_action":"REJECT_REQUEST"},
            """,
            Filters));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(expected, port => ProxyPair.AskAsync(port, request, "x-lua"));
    }
}
