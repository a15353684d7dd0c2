using Nuncio.ParityTests.Static;
using static Nuncio.ParityTests.Static.Resources;

namespace Nuncio.ParityTests.Areas;

/// <summary>What a route asks for beyond its cluster: copies of requests, CORS, retries and how often, and filters with settings of its own.</summary>
internal static class RouteArea
{
    private const string Types = "type.googleapis.com/envoy.extensions.filters.http";
    private const string Plain = "content-type: application/grpc\r\nte: trailers\r\n";

    private static readonly byte[] Message = [0, 0, 0, 0, 2, 8, 7];

    private static readonly (string Name, string Action)[] Mirrored =
    [
        ("all", Mirror("ro-copy")),
        ("none", Mirror("ro-copy", "\"runtime_fraction\":{\"default_value\":{\"numerator\":0,\"denominator\":\"HUNDRED\"} }")),
        ("whole", Mirror("ro-copy", "\"runtime_fraction\":{\"default_value\":{\"numerator\":1000000,\"denominator\":\"MILLION\"} }")),
        ("two", Mirrors("{\"cluster\":\"ro-copy\"}", "{\"cluster\":\"ro-copy2\"}")),
        ("closed", Mirror("ro-closed")),
        ("silent", Mirror("ro-silent")),
        ("h2", Mirror("ro-copy-h2")),
        ("plain-host", Mirror("ro-copy", "\"disable_shadow_host_suffix_append\":true")),
        ("host", Mirror("ro-copy", "\"host_rewrite_literal\":\"copy.example.com\"")),
        ("retried", Mirror("ro-copy") + "\"retry_policy\":{\"retry_on\":\"5xx\",\"num_retries\":2},"),
        ("header", Mirrors("{\"cluster_header\":\"x-copy\"}")),
        ("rewritten", Mirror("ro-copy") + "\"prefix_rewrite\":\"/new/\",\"host_rewrite_literal\":\"new.example.com\","),
    ];

    private static readonly (string Name, string Policy)[] Retried =
    [
        ("none", "\"retry_on\":\"5xx\",\"num_retries\":0"),
        ("one", "\"retry_on\":\"5xx\",\"num_retries\":1"),
        ("five", "\"retry_on\":\"5xx\",\"num_retries\":5,\"retry_back_off\":{\"base_interval\":\"0.001s\",\"max_interval\":\"0.002s\"}"),
        ("default", "\"retry_on\":\"5xx\""),
        ("two-words", "\"retry_on\":\"gateway-error,retriable-4xx\",\"num_retries\":2"),
        ("refused-stream", "\"retry_on\":\"refused-stream\",\"num_retries\":2"),
        ("before-request", "\"retry_on\":\"reset-before-request\",\"num_retries\":2"),
        ("asked", "\"retry_on\":\"5xx\",\"num_retries\":2,\"retriable_request_headers\":[ {\"name\":\"x-again\",\"present_match\":true}]"),
    ];

    private static readonly (string Name, string Policy)[] Cors =
    [
        ("exact", "\"allow_origin_string_match\":[ {\"exact\":\"http://a.example\"}],\"allow_methods\":\"GET,PUT\",\"allow_headers\":\"x-a\",\"expose_headers\":\"x-b\",\"max_age\":\"60\","
            + "\"allow_credentials\":true"),
        ("any", "\"allow_origin_string_match\":[ {\"exact\":\"*\"}],\"allow_methods\":\"GET\""),
        ("any-credentials", "\"allow_origin_string_match\":[ {\"exact\":\"*\"}],\"allow_credentials\":true"),
        ("regex", "\"allow_origin_string_match\":[ {\"safe_regex\":{\"regex\":\"https?://[a-z]+\\\\.example\"} }]"),
        ("suffix", "\"allow_origin_string_match\":[ {\"suffix\":\".a.example\"}]"),
        ("off", "\"allow_origin_string_match\":[ {\"exact\":\"*\"}],\"filter_enabled\":{\"default_value\":{\"numerator\":0} }"),
        ("shadow", "\"allow_origin_string_match\":[ {\"exact\":\"*\"}],\"filter_enabled\":{\"default_value\":{\"numerator\":0} },\"shadow_enabled\":{\"default_value\":{\"numerator\":100} }"),
        ("empty", ""),
    ];

    public static Area Value { get; } = new(
        "Mirroring, CORS, retries of routes",
        [
            Listener("ro", "", Chain(Http("ro", string.Join(',', [
                .. Mirrored.Select(mirror => Route($"/mirror-{mirror.Name}/", "ro-up", mirror.Action)),
                Route("/mirror-of-closed/", "ro-closed", Mirror("ro-copy")),
                Route("/mirror-timeout/", "ro-silent", Mirror("ro-copy") + "\"timeout\":\"0.4s\","),
                .. Retried.Select(retry => Route($"/retry-{retry.Name}/", "ro-up", $$"""
                    "retry_policy":{ {{retry.Policy}} },
                    """)),
                .. Cors.Select(cors => Route($"/cors-{cors.Name}/", "ro-up", fields: PerFilter("cors", "cors.v3.CorsPolicy", cors.Policy))),
                Route("/plain/", "ro-up"),
            ]), filters: Filter("cors", "cors.v3.Cors")))),
            Listener("ro-own", "", Chain(Http("ro-own", string.Join(',', [
                Route("/buffer/", "ro-up", fields: PerFilter("buffer", "buffer.v3.BufferPerRoute", "\"buffer\":{\"max_request_bytes\":3}")),
                Route("/gzip-off/", "ro-up", fields: PerFilter("gzip", "compressor.v3.CompressorPerRoute", "\"disabled\":true")),
                Route("/acl/", "ro-up", fields: PerFilter(
                    "rbac", "rbac.v3.RBACPerRoute",
                    "\"rbac\":{\"rules\":{\"action\":\"DENY\",\"policies\":{\"p\":{\"permissions\":[ {\"any\":true}],\"principals\":[ {\"any\":true}]} } } }")),
                Route("/acl-off/", "ro-up", fields: PerFilter("rbac", "rbac.v3.RBACPerRoute", "")),
                Route("/", "ro-up"),
            ]), filters: Filter("rbac", "rbac.v3.RBAC") + Filter("buffer", "buffer.v3.Buffer", "\"max_request_bytes\":10")
                + Filter("gzip", "compressor.v3.Compressor",
                    "\"compressor_library\":{\"name\":\"gzip\",\"typed_config\":{\"@type\":\"type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip\"} },"
                        + "\"response_direction_config\":{\"common_config\":{\"min_content_length\":100,\"content_type\":[\"text/plain\"]},\"disable_on_etag_header\":true,"
                        + "\"remove_accept_encoding_header\":true}")))),
            Listener("ro-case", "", Chain(Http("ro-case", Route("/", "ro-case"), $"\"http_protocol_options\":{{ {PreserveCase} }},"))),
        ],
        [
            Cluster("ro-up", "", "h1:ro-up"),
            Cluster("ro-copy", "", "h1:ro-copy"),
            Cluster("ro-copy2", "", "h1:ro-copy2"),
            Cluster("ro-copy-h2", OverHttp2, "h2:ro-copy"),
            Cluster("ro-closed", "", "closed:ro"),
            Cluster("ro-silent", "", "silent:ro"),
            Cluster(
                "ro-case",
                "\"typed_extension_protocol_options\":{\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\":{\"@type\":"
                    + "\"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\",\"explicit_http_config\":{\"http_protocol_options\":{ " + PreserveCase + " } } } },",
                "h1:ro-case"),
        ],
        [.. Mirroring(), .. Retries(), .. CrossOrigin(), .. Own()]);

    private const string PreserveCase = "\"header_key_format\":{\"stateful_formatter\":{\"name\":\"preserve_case\",\"typed_config\":{\"@type\":"
        + "\"type.googleapis.com/envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig\"} } }";

    private static IEnumerable<Scenario> Mirroring() =>
    [
        .. Mirrored.Where(mirror => mirror.Name is not ("retried" or "header")).Select(mirror => Does.Get($"mirror-{mirror.Name}", "ro", $"/mirror-{mirror.Name}/a", "x-a: 1\r\n")),
        Does.Http1("mirror-post", "ro", "POST /mirror-all/?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"),
        Does.Http1("mirror-chunked", "ro", "POST /mirror-all/?ID HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        Does.Http1("mirror-head", "ro", "HEAD /mirror-all/?ID HTTP/1.1\r\nhost: a\r\n\r\n"),
        Does.Http1("mirror-empty-body", "ro", "POST /mirror-all/?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"),
        Does.Get("mirror-host-with-port", "ro", "/mirror-all/", host: "example.com:8080"),
        Does.Http2("mirror-over-http2", "ro", "/mirror-all/", "x-a: 1\r\n", "hello"u8.ToArray()),
        Does.Http2("mirror-h2-grpc", "ro", "/mirror-h2/Call", Plain, Message),
        Does.Get("mirror-retried-once", "ro", "/mirror-retried/", "x-do: 503\r\n"),
        Does.Get("mirror-named-by-header", "ro", "/mirror-header/", "x-copy: ro-copy\r\n"),
        Does.Get("mirror-named-by-no-header", "ro", "/mirror-header/"),
        Does.Get("mirror-named-wrongly", "ro", "/mirror-header/", "x-copy: nobody\r\n"),
        Does.Get("mirror-of-an-error", "ro", "/mirror-all/", "x-do: 500\r\n"),
        Does.Get("mirror-of-a-close", "ro", "/mirror-all/", "x-do: close\r\n"),
        Does.Get("mirror-of-nobody", "ro", "/mirror-of-closed/"),
        Does.Get("mirror-of-a-timeout", "ro", "/mirror-timeout/", takes: TimeSpan.FromSeconds(0.4)),
    ];

    private static IEnumerable<Scenario> Retries() =>
    [
        .. Retried.Where(retry => retry.Name != "asked").Select(retry => Does.Get($"retries-{retry.Name}", "ro", $"/retry-{retry.Name}/", "x-do: 503\r\n")),
        Does.Get("retries-two-words-409", "ro", "/retry-two-words/", "x-do: 409\r\n"),
        Does.Get("retries-two-words-500", "ro", "/retry-two-words/", "x-do: 500\r\n"),
        Does.Get("retries-before-request-close", "ro", "/retry-before-request/", "x-do: close\r\n"),
        Does.Get("retries-unasked", "ro", "/retry-asked/", "x-do: 503\r\n"),
        Does.Get("retries-asked", "ro", "/retry-asked/", "x-do: 503\r\nx-again: 1\r\n"),
        Does.Get("retries-by-header", "ro", "/plain/", "x-do: 503\r\nx-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 2\r\n"),
        Does.Get("retries-more-by-header", "ro", "/retry-one/", "x-do: 503\r\nx-envoy-max-retries: 3\r\n"),
        Does.Get("retries-garbage", "ro", "/retry-one/", "x-do: garbage\r\n"),
    ];

    private static IEnumerable<Scenario> CrossOrigin() =>
    [
        .. Cors.SelectMany(cors => new[] { "http://a.example", "http://b.a.example", "null" }.SelectMany((origin, i) => new[]
        {
            Does.Get($"cors-{cors.Name}-request-{i}", "ro", $"/cors-{cors.Name}/", $"origin: {origin}\r\n"),
            Does.Http1(
                $"cors-{cors.Name}-preflight-{i}", "ro",
                $"OPTIONS /cors-{cors.Name}/?ID HTTP/1.1\r\nhost: a\r\norigin: {origin}\r\naccess-control-request-method: PUT\r\naccess-control-request-headers: x-a\r\n\r\n"),
        })),
        Does.Http1("cors-preflight-without-method", "ro", "OPTIONS /cors-exact/?ID HTTP/1.1\r\nhost: a\r\norigin: http://a.example\r\n\r\n"),
        Does.Http1("cors-preflight-without-origin", "ro", "OPTIONS /cors-exact/?ID HTTP/1.1\r\nhost: a\r\naccess-control-request-method: PUT\r\n\r\n"),
        Does.Http1(
            "cors-preflight-private-network", "ro",
            "OPTIONS /cors-exact/?ID HTTP/1.1\r\nhost: a\r\norigin: http://a.example\r\naccess-control-request-method: GET\r\n"
                + "access-control-request-private-network: true\r\n\r\n"),
        Does.Get("cors-on-own-error", "ro", "/cors-exact/", "origin: http://a.example\r\nx-do: close\r\n"),
        Does.Get("cors-without-policy", "ro", "/plain/", "origin: http://a.example\r\n"),
    ];

    private static IEnumerable<Scenario> Own() =>
    [
        Does.Http1("own-buffer-within", "ro-own", "POST /buffer/?ID HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n\r\n"),
        Does.Http1("own-buffer-beyond", "ro-own", "POST /buffer/?ID HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", lives: false),
        Does.Get("own-gzip-off", "ro-own", "/gzip-off/", "accept-encoding: gzip\r\nx-do: text\r\n"),
        Does.Get("own-gzip-keeps-accept-encoding-from-upstream", "ro-own", "/", "accept-encoding: gzip\r\nx-do: cookies\r\n"),
        Does.Get("own-acl", "ro-own", "/acl/"),
        Does.Get("own-acl-off", "ro-own", "/acl-off/"),
        Does.Http1("header-case-kept", "ro-case", "GET /?ID HTTP/1.1\r\nHost: a\r\nX-CamelCase: 1\r\nx-do: cased\r\n\r\n"),
    ];

    private static string Mirror(string cluster, string fields = "") => Mirrors($$"""{ "cluster":"{{cluster}}"{{(fields.Length > 0 ? "," : "")}}{{fields}} }""");

    private static string Mirrors(params IEnumerable<string> policies) => $"\"request_mirror_policies\":[ {string.Join(',', policies)} ],";

    private static string PerFilter(string name, string type, string fields) =>
        $$$"""
        "typed_per_filter_config":{"{{{name}}}":{"@type":"{{{Types}}}.{{{type}}}"{{{(fields.Length > 0 ? "," : "")}}}{{{fields}}} } },
        """;
}
