using Nuncio.ParityTests.Http2;
using Nuncio.ParityTests.Static;
using static Nuncio.ParityTests.Static.Resources;

namespace Nuncio.ParityTests.Areas;

/// <summary>HTTP filters, and the services that some of them ask.</summary>
internal static class FilterArea
{
    private const string Plain = "content-type: application/grpc\r\nte: trailers\r\n";

    private static readonly byte[] Message = [0, 0, 0, 0, 2, 8, 7];

    private static readonly string HttpAuthz = """
        "http_service":{"server_uri":{"uri":"http://authz","cluster":"fl-authz","timeout":"3s"},"path_prefix":"/authz",
          "authorization_request":{"allowed_headers":{"patterns":[ {"exact":"x-authz"},{"prefix":"x-a-"}]},"headers_to_add":[ {"key":"x-asked","value":"yes"}]},
          "authorization_response":{"allowed_upstream_headers":{"patterns":[ {"exact":"x-user"}]},"allowed_client_headers":{"patterns":[ {"exact":"x-why"},{"exact":"set-cookie"},{"exact":"location"}]},
            "allowed_client_headers_on_success":{"patterns":[ {"exact":"set-cookie"}]} } }
        """;

    public static Area Value { get; } = new(
        "HTTP filters",
        [
            One("authz", Filter("authz", "ext_authz.v3.ExtAuthz", HttpAuthz), Disabled("authz", "ext_authz.v3.ExtAuthzPerRoute", "\"disabled\":true")),
            One("authz-body", Filter(
                "authz", "ext_authz.v3.ExtAuthz",
                HttpAuthz + ",\"with_request_body\":{\"max_request_bytes\":10,\"allow_partial_message\":false},\"stat_prefix\":\"body\"")),
            One("authz-partial", Filter(
                "authz", "ext_authz.v3.ExtAuthz", HttpAuthz + ",\"with_request_body\":{\"max_request_bytes\":10,\"allow_partial_message\":true}")),
            One("authz-down", Filter("authz", "ext_authz.v3.ExtAuthz", HttpAuthz.Replace("fl-authz", "fl-closed", StringComparison.Ordinal))),
            One("authz-down-allow", Filter(
                "authz", "ext_authz.v3.ExtAuthz",
                HttpAuthz.Replace("fl-authz", "fl-closed", StringComparison.Ordinal) + ",\"failure_mode_allow\":true,\"failure_mode_allow_header_add\":true")),
            One("authz-status", Filter(
                "authz", "ext_authz.v3.ExtAuthz",
                HttpAuthz.Replace("fl-authz", "fl-closed", StringComparison.Ordinal) + ",\"status_on_error\":{\"code\":\"ServiceUnavailable\"}")),
            One("authz-grpc", Filter(
                "authz", "ext_authz.v3.ExtAuthz",
                "\"transport_api_version\":\"V3\",\"grpc_service\":{\"envoy_grpc\":{\"cluster_name\":\"fl-authz-grpc\"},\"timeout\":\"20s\"}")),
            One("ratelimit", Filter("ratelimit", "ratelimit.v3.RateLimit",
                "\"domain\":\"parity\",\"timeout\":\"20s\",\"enable_x_ratelimit_headers\":\"DRAFT_VERSION_03\","
                    + "\"rate_limit_service\":{\"transport_api_version\":\"V3\",\"grpc_service\":{\"envoy_grpc\":{\"cluster_name\":\"fl-ratelimit\"} } }")),
            One("ratelimit-down", Filter("ratelimit", "ratelimit.v3.RateLimit",
                // That nobody listens may come later than the 20 ms that are its default.
                "\"domain\":\"parity\",\"timeout\":\"20s\",\"failure_mode_deny\":true,\"rate_limit_service\":{\"transport_api_version\":\"V3\","
                    + "\"grpc_service\":{\"envoy_grpc\":{\"cluster_name\":\"fl-closed2\"} } }")),
            One("lua", Filter("lua", "lua.v3.Lua", "\"default_source_code\":{\"inline_string\":\"" + Script + "\"}")),
            One("gzip", Filter("gzip", "compressor.v3.Compressor",
                "\"compressor_library\":{\"name\":\"gzip\","
                    + "\"typed_config\":{\"@type\":\"type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip\"} },"
                    + "\"response_direction_config\":{\"common_config\":{\"min_content_length\":100,\"content_type\":[\"text/plain\"]} }")),
            One("buffer", Filter(
                "buffer", "buffer.v3.Buffer", "\"max_request_bytes\":10"), Disabled("buffer", "buffer.v3.BufferPerRoute", "\"disabled\":true")),
            One("web", Filter("web", "grpc_web.v3.GrpcWeb")),
            One("bridge", Filter("bridge", "grpc_http1_bridge.v3.Config")),
            One("stats", Filter("stats", "grpc_stats.v3.FilterConfig", "\"stats_for_all_methods\":true")),
            One("acl", Filter("rbac", "rbac.v3.RBAC", "\"rules\":{\"action\":\"ALLOW\",\"policies\":{\"one\":{\"permissions\":[ "
                + "{\"url_path\":{\"path\":{\"prefix\":\"/h1/open\"} } }],\"principals\":[ {\"any\":true}]},\"two\":{\"permissions\":[ {\"any\":true}],"
                + "\"principals\":[ {\"remote_ip\":{\"address_prefix\":\"10.0.0.0\",\"prefix_len\":8} }]} } }"), manager: "\"xff_num_trusted_hops\":1,"),
            One("acl-deny", Filter("rbac", "rbac.v3.RBAC", "\"rules\":{\"action\":\"DENY\",\"policies\":{\"one\":{\"permissions\":[ {\"any\":true}],"
                + "\"principals\":[ {\"direct_remote_ip\":{\"address_prefix\":\"127.0.0.1\",\"prefix_len\":32} }]} } }")),
            One("health", Filter(
                "health", "health_check.v3.HealthCheck",
                "\"pass_through_mode\":false,\"headers\":[ {\"name\":\":path\",\"string_match\":{\"exact\":\"/healthz?health-own\"} }]")),
        ],
        [
            Cluster("fl-authz", "", "h1:authz"),
            Cluster("fl-authz-grpc", OverHttp2, "authz:a"),
            Cluster("fl-ratelimit", OverHttp2, "ratelimit:a"),
            Cluster("fl-closed", "", "closed:fl"),
            Cluster("fl-closed2", OverHttp2, "closed:fl2"),
            Cluster("fl-h1", "", "h1:fl"),
            Cluster("fl-h2", OverHttp2, "h2:fl"),
        ],
        [.. Authorisation(), .. Limits(), .. Scripts(), .. Bodies(), .. Grpc(), .. Others()]);

    // Lua in a JSON string.
    private const string Script =
        "function envoy_on_request(h)\\n h:headers():add('x-lua', h:headers():get(':path'))\\n local d = h:headers():get('x-lua-do')\\n"
        + " if d == 'respond' then h:respond({[':status'] = '418', ['x-from'] = 'lua'}, 'teapot') end\\n if d == 'error' then error('broken') end\\n"
        + " if d == 'body' then h:headers():add('x-length', tostring(h:body():length())) end\\n"
        + " if d == 'call' then local hs, b = h:httpCall('fl-h1', {[':method'] = 'GET', [':path'] = '/called', [':authority'] = 'x'}, '', 1000) "
        + "h:headers():add('x-called', hs[':status']) end\\nend\\n"
        + "function envoy_on_response(h)\\n h:headers():add('x-lua-response', h:headers():get(':status'))\\n h:headers():remove('x-upstream')\\nend\\n";

    private static IEnumerable<Scenario> Authorisation() =>
    [
        Does.Get("authz-plain", "authz", "/h1/a"),
        Does.Get("authz-allow", "authz", "/h1/a", "x-authz: allow\r\nx-a-b: 1\r\nx-user: forged\r\ncookie: secret=1\r\nauthorization: Bearer x\r\n"),
        Does.Get("authz-deny", "authz", "/h1/a", "x-authz: deny\r\n"),
        Does.Get("authz-moved", "authz", "/h1/a", "x-authz: moved\r\n"),
        Does.Get("authz-404", "authz", "/h1/a", "x-authz: 404\r\n"),
        Does.Get("authz-500", "authz", "/h1/a", "x-authz: 500\r\n"),
        Does.Get("authz-close", "authz", "/h1/a", "x-authz: close\r\n"),
        Does.Get("authz-silent", "authz", "/h1/a", "x-authz: silent\r\n", TimeSpan.FromSeconds(3)),
        Does.Get("authz-disabled-for-route", "authz", "/off/a", "x-authz: deny\r\n"),
        Does.Http1("authz-post", "authz", "POST /h1/a?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"),
        Does.Http1("authz-head", "authz", "HEAD /h1/a?ID HTTP/1.1\r\nhost: a\r\nx-authz: deny\r\n\r\n"),
        Does.Http2("authz-grpc-call-denied", "authz", "/h2/Call", Plain + "x-authz: deny\r\n", Message),
        Does.Http1("authz-with-body", "authz-body", "POST /h1/a?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"),
        Does.Http1("authz-body-too-large", "authz-body", "POST /h1/a?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\nhello hello hello he"),
        Does.Http1("authz-body-chunked", "authz-body", "POST /h1/a?ID HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        Does.Http1("authz-partial-body", "authz-partial", "POST /h1/a?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\nhello hello hello he"),
        Does.Get("authz-service-down", "authz-down", "/h1/a"),
        Does.Get("authz-service-down-allowed", "authz-down-allow", "/h1/a"),
        Does.Get("authz-service-down-status", "authz-status", "/h1/a"),
        Does.Get("authz-grpc-allow", "authz-grpc", "/h1/a"),
        Does.Get("authz-grpc-deny", "authz-grpc", "/h1/a", "x-auth: deny\r\n"),
    ];

    private static IEnumerable<Scenario> Limits() =>
    [
        Does.Get("ratelimit-under", "ratelimit", "/h1/a", "x-limit: under\r\n"),
        Does.Get("ratelimit-over", "ratelimit", "/h1/a", "x-limit: over\r\n"),
        Does.Get("ratelimit-no-descriptor", "ratelimit", "/h1/a"),
        Does.Http2("ratelimit-grpc-call-over", "ratelimit", "/h2/Call", Plain + "x-limit: over\r\n", Message),
        Does.Get("ratelimit-service-down", "ratelimit-down", "/h1/a", "x-limit: under\r\n"),
    ];

    private static IEnumerable<Scenario> Scripts() =>
    [
        Does.Get("lua-headers", "lua", "/h1/a"),
        Does.Get("lua-respond", "lua", "/h1/a", "x-lua-do: respond\r\n"),
        Does.Get("lua-error", "lua", "/h1/a", "x-lua-do: error\r\n"),
        Does.Http1("lua-body", "lua", "POST /h1/a?ID HTTP/1.1\r\nhost: a\r\nx-lua-do: body\r\ncontent-length: 5\r\n\r\nhello"),
        Does.Get("lua-call", "lua", "/h1/a", "x-lua-do: call\r\n"),
        Does.Get("lua-no-route", "lua", "/nowhere"),
    ];

    private static IEnumerable<Scenario> Bodies() =>
    [
        .. new[] { "gzip", "gzip;q=0", "deflate, gzip;q=0.5", "*", "identity", "br", "" }.Select(
            (accept, i) => Compressed($"gzip-accept-{i}", $"accept-encoding: {accept}\r\nx-do: text\r\n")),
        Compressed("gzip-text", "accept-encoding: gzip\r\nx-do: text\r\n"),
        Compressed("gzip-text-unasked", "x-do: text\r\n"),
        Compressed("gzip-chunked", "accept-encoding: gzip\r\nx-do: chunked\r\n"),
        Compressed("gzip-no-type", "accept-encoding: gzip\r\nx-do: large\r\n"),
        Compressed("gzip-short", "accept-encoding: gzip\r\nx-do: cookies\r\n"),
        Does.Http1("gzip-head", "gzip", "HEAD /h1/a?ID HTTP/1.1\r\nhost: a\r\naccept-encoding: gzip\r\n\r\n"),
        Does.Http1("buffer-small", "buffer", "POST /h1/a?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"),
        Does.Http1("buffer-chunked", "buffer", "POST /h1/a?ID HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        Does.Http1("buffer-too-large", "buffer", "POST /h1/a?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\nhello hello hello he"),
        Does.Http1("buffer-off-for-route", "buffer", "POST /off/a?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\nhello hello hello he"),
    ];

    private static IEnumerable<Scenario> Grpc() =>
    [
        Does.Http1(
            "web-call", "web",
            "POST /h2/Call?ID HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web+proto\r\ncontent-length: 7\r\n\r\n\0\0\0\0\u0002\u0008\u0007"),
        Does.Http1(
            "web-text", "web", "POST /h2/Call?ID HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web-text\r\ncontent-length: 12\r\n\r\nAAAAAAIIBw=="),
        Does.Http1(
            "web-text-broken", "web", "POST /h2/Call?ID HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web-text\r\ncontent-length: 4\r\n\r\n!!!!"),
        Does.Http1("web-error", "web", "POST /h2/Call?ID HTTP/1.1\r\nhost: a\r\nx-do: grpc-error 5\r\ncontent-type: application/grpc-web\r\ncontent-length: "
            + "7\r\n\r\n\0\0\0\0\u0002\u0008\u0007"),
        Does.Http1("web-trailers-only", "web", "POST /h2/Call?ID HTTP/1.1\r\nhost: a\r\nx-do: grpc-trailers-only 5\r\ncontent-type: "
            + "application/grpc-web\r\ncontent-length: 7\r\n\r\n\0\0\0\0\u0002\u0008\u0007"),
        Does.Http1("web-no-route", "web", "POST /nowhere?ID HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web\r\ncontent-length: 0\r\n\r\n"),
        Does.Get("web-other", "web", "/h2/a"),
        Does.Http1(
            "bridge-call", "bridge",
            "POST /h2/Call?ID HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\ncontent-length: 7\r\n\r\n\0\0\0\0\u0002\u0008\u0007"),
        Does.Http1("bridge-error", "bridge", "POST /h2/Call?ID HTTP/1.1\r\nhost: a\r\nx-do: grpc-error 5\r\ncontent-type: application/grpc\r\ncontent-length: "
            + "7\r\n\r\n\0\0\0\0\u0002\u0008\u0007"),
        Does.Http1("bridge-trailers-only", "bridge", "POST /h2/Call?ID HTTP/1.1\r\nhost: a\r\nx-do: grpc-trailers-only 5\r\ncontent-type: "
            + "application/grpc\r\ncontent-length: 7\r\n\r\n\0\0\0\0\u0002\u0008\u0007"),
        Does.Http2("bridge-http2", "bridge", "/h2/Call", Plain, Message),
        Does.Http2("stats-call", "stats", "/h2/Call", Plain, Message),
        Does.Http2("stats-error", "stats", "/h2/Call", Plain + "x-do: grpc-error 5\r\n", Message),
        Does.Http2("stats-trailers-only", "stats", "/h2/Call", Plain + "x-do: grpc-trailers-only 14\r\n", Message),
    ];

    private static IEnumerable<Scenario> Others() =>
    [
        Does.Get("rbac-path-allowed", "acl", "/h1/open"),
        Does.Get("rbac-path-denied", "acl", "/h1/closed"),
        Does.Get("rbac-address-allowed", "acl", "/h1/closed", "x-forwarded-for: 10.1.2.3\r\n"),
        Does.Get("rbac-address-denied", "acl", "/h1/closed", "x-forwarded-for: 11.1.2.3\r\n"),
        Does.Http2("rbac-grpc-call-denied", "acl", "/h2/Call", Plain, Message),
        Does.Get("rbac-peer-denied", "acl-deny", "/h1/a"),
        Does.Get("health-own", "health", "/healthz"),
        Does.Get("health-other", "health", "/h1/healthz"),
    ];

    // A body that is compressed is compared after it was unpacked: two libraries may pack it in different ways.
    private static Scenario Compressed(string name, string headers) =>
        new(name, (plane, seen) => Does.WithClientAsync(plane, seen, "gzip", null, null, async (client, cancellation) =>
        {
            await client.Wire.WriteAsync($"GET /h1/a?{name} HTTP/1.1\r\nhost: a\r\n{headers}\r\n", cancellation);
            var response = await client.Wire.ReadResponseAsync("GET", cancellation);
            var body = new MemoryStream(response.Body);
            if (response["content-encoding"] == "gzip")
            {
                using var unpacked = new MemoryStream();
                await using var gzip = new System.IO.Compression.GZipStream(body, System.IO.Compression.CompressionMode.Decompress);
                await gzip.CopyToAsync(unpacked, cancellation);
                response = response with { Body = unpacked.ToArray() };
            }

            seen.AddResponse(response);
        }), IsRandom: true);

    private static string One(string name, string filter, string offConfig = "", string manager = "") => Listener(name, "", Chain(Http(name, string.Join(',',
        Route("/off/", "fl-h1", fields: offConfig),
        Route("/h1/", "fl-h1", name.StartsWith("ratelimit", StringComparison.Ordinal)
            ? "\"rate_limits\":[ {\"actions\":[ {\"request_headers\":{\"header_name\":\"x-limit\",\"descriptor_key\":\"limit\"} }]}]," : ""),
        Route("/h2/", "fl-h2", name.StartsWith("ratelimit", StringComparison.Ordinal)
            ? "\"rate_limits\":[ {\"actions\":[ {\"request_headers\":{\"header_name\":\"x-limit\",\"descriptor_key\":\"limit\"} }]}]," : "")),
        manager, filter)));

    private static string Disabled(string name, string type, string fields) =>
        $$$"""
        "typed_per_filter_config":{"{{{name}}}":{"@type":"type.googleapis.com/envoy.extensions.filters.http.{{{type}}}",{{{fields}}} } },
        """;
}
