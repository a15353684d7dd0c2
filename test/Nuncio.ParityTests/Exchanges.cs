namespace Nuncio.ParityTests;

/// <summary>Everything that is compared, with the manifests that it needs.</summary>
internal static class Exchanges
{
    public const string Manifests = """
        Listener main: { port: $(port), protocol: HTTPS, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
        Host everywhere: { hostname: "*", requestPolicy: { insecure: { action: Route } } }
        Host secure: { hostname: "secure.example.com", tlsSecret: { name: secure } }
        Host modern: { hostname: "modern.example.com", tlsSecret: { name: secure }, tls: { min_tls_version: v1.3 } }
        Host strict: { hostname: "strict.example.com", requestPolicy: { insecure: { action: Redirect } }, tlsSecret: { name: secure } }
        Mapping plain: { hostname: "*", prefix: /plain/, service: "$(up)" }
        Mapping kept: { hostname: "*", prefix: /kept/, rewrite: "", service: "$(up)" }
        Mapping moved: { hostname: "*", prefix: /moved/, rewrite: /elsewhere/, service: "$(up)" }
        Mapping turned: { hostname: "*", prefix: /turned/, regex_rewrite: { pattern: "/turned/([0-9]+)/(.*)", substitution: '/\2/\1' }, service: "$(up)" }
        Mapping pattern: { hostname: "*", prefix: "/pattern/[a-c]+/", prefix_regex: true, rewrite: "", service: "$(up)" }
        Mapping exact: { hostname: "*", prefix: /exact, prefix_exact: true, service: "$(up)" }
        Mapping posts: { hostname: "*", prefix: /posts/, method: POST, service: "$(up)" }
        Mapping versioned: { hostname: "*", prefix: /versioned/, headers: { x-version: "2" }, service: "$(up)" }
        Mapping asked: { hostname: "*", prefix: /asked/, query_parameters: { q: "1" }, service: "$(up)" }
        Mapping named: { hostname: "*", prefix: /named/, host_rewrite: inner.example.com, service: "$(up)" }
        Mapping auto: { hostname: "*", prefix: /auto/, auto_host_rewrite: true, service: "$(up)" }
        Mapping headers:
          hostname: "*"
          prefix: /headers/
          service: $(up)
          add_request_headers: { x-added: { value: one }, x-overwritten: { value: two, append: false }, x-peer: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" }
          remove_request_headers: [x-removed]
          add_response_headers: { x-answered: { value: "yes" }, x-code: "%RESPONSE_CODE%" }
          remove_response_headers: [x-secret]
        Mapping cased: { hostname: "*", prefix: /Cased/, case_sensitive: false, service: "$(up)" }
        Mapping away: { hostname: "*", prefix: /away/, host_redirect: true, service: other.example.com, path_redirect: /there/, redirect_response_code: 302 }
        Mapping awayprefix: { hostname: "*", prefix: /awayprefix/, host_redirect: true, service: other.example.com, prefix_redirect: /new/ }
        Mapping cors: { hostname: "*", prefix: /cors/, service: "$(up)", cors: { origins: ["http://foo.example"], methods: [GET, POST], headers: [x-a], exposed_headers: [x-b], credentials: true, max_age: "60" } }
        Mapping retried: { hostname: "*", prefix: /retried/, service: "$(up)", retry_policy: { retry_on: 5xx, num_retries: 2 } }
        Mapping impatient: { hostname: "*", prefix: /impatient/, service: "$(silent)", timeout_ms: 300 }
        Mapping pertry: { hostname: "*", prefix: /pertry/, service: "$(silent)", timeout_ms: 3000, retry_policy: { retry_on: gateway-error, num_retries: 1, per_try_timeout: 0.2s } }
        Mapping closed: { hostname: "*", prefix: /closed/, service: "$(closed)" }
        Mapping closedtwice: { hostname: "*", prefix: /closedtwice/, service: "$(closed)", retry_policy: { retry_on: connect-failure, num_retries: 1 } }
        Mapping full: { hostname: "*", prefix: /full/, service: "$(up)", circuit_breakers: [{ max_requests: 0, max_pending_requests: 0 }] }
        Mapping shadowed: { hostname: "*", prefix: /shadowed/, service: "$(up)" }
        Mapping shadow: { hostname: "*", prefix: /shadowed/, shadow: true, service: "$(other)" }
        Mapping socket: { hostname: "*", prefix: /socket/, service: "$(up)", allow_upgrade: [websocket] }
        Mapping hashed: { hostname: "*", prefix: /hashed/, service: "$(up)", resolver: endpoint, load_balancer: { policy: ring_hash, cookie: { name: sticky, ttl: 60s } } }
        Mapping mixed: { hostname: "*", prefix: /host/, service: "$(up)" }
        Mapping vhost: { hostname: "only.example.com", prefix: /only/, service: "$(up)" }
        """;

    public static IReadOnlyList<Exchange> All { get; } = [.. Routing(), .. Headers(), .. Upstreams(), .. Resilience(), .. Requests(), .. Malformed(), .. Tls()];

    private static string Get(string target, string headers = "", string host = "example.com") => $"GET {target} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n";

    private static IEnumerable<Exchange> Routing() => Of("Routing", new()
    {
        ["prefix"] = Get("/plain/a?ID"),
        ["prefix-itself"] = Get("/plain/?ID"),
        ["prefix-without-slash"] = Get("/plain?ID"),
        ["no-route"] = Get("/nowhere/?ID"),
        ["prefix-kept"] = Get("/kept/a?ID"),
        ["prefix-rewritten"] = Get("/moved/a/b?ID"),
        ["regex-rewritten"] = Get("/turned/12/x/y?ID"),
        ["regex-rewrite-without-match"] = Get("/turned/x?ID"),
        ["prefix-regex"] = Get("/pattern/abc/z?ID"),
        ["prefix-regex-not"] = Get("/pattern/abd/z?ID"),
        ["exact"] = Get("/exact?ID"),
        ["exact-longer"] = Get("/exact/more?ID"),
        ["method"] = "POST /posts/?ID HTTP/1.1\r\nhost: example.com\r\ncontent-length: 2\r\n\r\nhi",
        ["method-not"] = Get("/posts/?ID"),
        ["header"] = Get("/versioned/?ID", "x-version: 2\r\n"),
        ["header-other-value"] = Get("/versioned/?ID", "x-version: 3\r\n"),
        ["header-twice"] = Get("/versioned/?ID", "x-version: 2\r\nx-version: 3\r\n"),
        ["query"] = Get("/asked/?q=1&ID"),
        ["query-other"] = Get("/asked/?q=2&ID"),
        ["query-escaped"] = Get("/asked/?q=%31&ID"),
        ["host-rewrite"] = Get("/named/?ID"),
        ["auto-host-rewrite"] = Get("/auto/?ID"),
        ["case-insensitive"] = Get("/cASED/x?ID"),
        ["host-own"] = Get("/only/?ID", host: "only.example.com"),
        ["host-other"] = Get("/only/?ID", host: "example.com"),
        ["host-upper-case"] = Get("/only/?ID", host: "ONLY.Example.com"),
        ["host-with-port"] = Get("/only/?ID", host: "only.example.com:8080"),
        ["redirect-path"] = Get("/away/a?ID"),
        ["redirect-prefix"] = Get("/awayprefix/a?ID"),
        ["redirect-to-https"] = Get("/plain/?ID", host: "strict.example.com"),
        ["forwarded-https-not-redirected"] = Get("/plain/?ID", "x-forwarded-proto: https\r\n", "strict.example.com"),
    });

    private static IEnumerable<Exchange> Headers() => Of("Headers and CORS", new()
    {
        ["headers-added-and-removed"] = Get("/headers/?ID", "x-removed: gone\r\nx-added: zero\r\nx-overwritten: zero\r\nx-do: secret\r\n"),
        ["headers-on-own-answer"] = Get("/headers/?ID", "x-do: close\r\n"),
        ["cors-preflight"] = "OPTIONS /cors/?ID HTTP/1.1\r\nhost: example.com\r\norigin: http://foo.example\r\naccess-control-request-method: GET\r\n\r\n",
        ["cors-preflight-other-origin"] =
            "OPTIONS /cors/?ID HTTP/1.1\r\nhost: example.com\r\norigin: http://bar.example\r\naccess-control-request-method: GET\r\n\r\n",
        ["cors-request"] = Get("/cors/?ID", "origin: http://foo.example\r\n"),
        ["cors-request-other-origin"] = Get("/cors/?ID", "origin: http://bar.example\r\n"),
        ["forwarded-for"] = Get("/plain/?ID", "x-forwarded-for: 10.1.2.3, 10.4.5.6\r\n"),
        ["forwarded-proto-http"] = Get("/plain/?ID", "x-forwarded-proto: http\r\n"),
        ["forwarded-host"] = Get("/plain/?ID", "x-forwarded-host: evil.example\r\nx-forwarded-port: 99\r\n"),
        ["request-id-given"] = Get("/plain/?ID", "x-request-id: 11111111-2222-4333-8444-555555555555\r\n"),
        ["envoy-headers-given"] = Get(
            "/plain/?ID", "x-envoy-upstream-rq-timeout-ms: 5\r\nx-envoy-internal: true\r\nx-envoy-max-retries: 9\r\nx-envoy-original-path: /x\r\n"),
        ["header-repeated"] = Get("/plain/?ID", "x-a: 1\r\nX-A: 2\r\nx-a: \r\n"),
        ["cookies-repeated"] = Get("/plain/?ID", "cookie: a=1\r\ncookie: b=2\r\n"),
        ["header-spaces"] = Get("/plain/?ID", "x-a:   spaced out \t \r\n"),
        ["header-8-bit"] = Get("/plain/?ID", "x-a: caf\u00e9\r\n"),
        ["user-agent"] = Get("/plain/?ID", "user-agent: parity \"quoted\"\r\n"),
        ["hop-by-hop"] = Get(
            "/plain/?ID", "connection: x-hop, keep-alive\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\nproxy-connection: keep-alive\r\nte: trailers, deflate\r\n"),
        ["sticky-cookie-made"] = Get("/hashed/?ID"),
        ["sticky-cookie-given"] = Get("/hashed/?ID", "cookie: sticky=abc\r\n"),
        ["shadowed"] = Get("/shadowed/?ID"),
    });

    private static IEnumerable<Exchange> Upstreams() => Of("Answers of upstreams", new()
    {
        ["status-204"] = Get("/plain/?ID", "x-do: 204\r\n"),
        ["status-304"] = Get("/plain/?ID", "x-do: 304\r\n"),
        ["status-500"] = Get("/plain/?ID", "x-do: 500\r\n"),
        ["status-999"] = Get("/plain/?ID", "x-do: 999\r\n"),
        ["continue-100"] = Get("/plain/?ID", "x-do: 100\r\n"),
        ["early-hints-103"] = Get("/plain/?ID", "x-do: 103\r\n"),
        ["chunked"] = Get("/plain/?ID", "x-do: chunked\r\n"),
        ["chunked-trailers"] = Get("/plain/?ID", "x-do: trailers\r\n"),
        ["until-close"] = Get("/plain/?ID", "x-do: untilclose\r\n"),
        ["http-1.0-answer"] = Get("/plain/?ID", "x-do: http10\r\n"),
        ["connection-close-answer"] = Get("/plain/?ID", "x-do: saysclose\r\n"),
        ["closed-without-answer"] = Get("/plain/?ID", "x-do: close\r\n"),
        ["garbage"] = Get("/plain/?ID", "x-do: garbage\r\n"),
        ["both-framings"] = Get("/plain/?ID", "x-do: bothframings\r\n"),
        ["two-lengths"] = Get("/plain/?ID", "x-do: twolengths\r\n"),
        ["bad-header"] = Get("/plain/?ID", "x-do: badheader\r\n"),
        ["huge-header"] = Get("/plain/?ID", "x-do: hugeheader\r\n"),
        ["envoy-headers-answered"] = Get("/plain/?ID", "x-do: envoyheaders\r\n"),
        ["own-server-and-date"] = Get("/plain/?ID", "x-do: server\r\n"),
        ["set-cookie-twice"] = Get("/plain/?ID", "x-do: cookies\r\n"),
        ["empty-body"] = Get("/plain/?ID", "x-do: empty\r\n"),
        ["large-body"] = Get("/plain/?ID", "x-do: large\r\n"),
        ["no-reason"] = Get("/plain/?ID", "x-do: noreason\r\n"),
        ["upgrade-unasked"] = Get("/plain/?ID", "x-do: 101\r\n"),
    });

    private static IEnumerable<Exchange> Resilience() => Of("Timeouts, retries, failures", new()
    {
        ["retried-and-failed"] = Get("/retried/?ID", "x-do: 503\r\n"),
        ["retried-after-close"] = Get("/retried/?ID", "x-do: close\r\n"),
        ["retried-not-on-404"] = Get("/retried/?ID", "x-do: 404\r\n"),
        ["retried-post"] = "POST /retried/?ID HTTP/1.1\r\nhost: example.com\r\nx-do: 503\r\ncontent-length: 5\r\n\r\nagain",
        ["timeout"] = Get("/impatient/?ID"),
        ["timeout-post"] = "POST /impatient/?ID HTTP/1.1\r\nhost: example.com\r\ncontent-length: 5\r\n\r\nhello",
        ["per-try-timeout"] = Get("/pertry/?ID"),
        ["connection-refused"] = Get("/closed/?ID"),
        ["connection-refused-twice"] = Get("/closedtwice/?ID"),
        ["circuit-open"] = Get("/full/?ID"),
    });

    private static IEnumerable<Exchange> Requests() => Of("Requests", new()
    {
        ["head"] = "HEAD /plain/?ID HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["options"] = "OPTIONS /plain/?ID HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["options-star"] = "OPTIONS * HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["trace"] = "TRACE /plain/?ID HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["method-of-own"] = "BREW /plain/?ID HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["put"] = "PUT /plain/?ID HTTP/1.1\r\nhost: example.com\r\ncontent-length: 4\r\n\r\nbody",
        ["chunked-request"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        ["chunked-request-extension"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: chunked\r\n\r\n4;a=b\r\nbody\r\n0\r\n\r\n",
        ["chunked-request-trailers"] =
            "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n4\r\nbody\r\n0\r\nx-t: 1\r\n\r\n",
        ["expect-continue"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\nbody",
        ["connection-close"] = Get("/plain/?ID", "connection: close\r\n"),
        ["http-1.0"] = "GET /plain/?ID HTTP/1.0\r\nhost: example.com\r\n\r\n",
        ["http-1.0-keep-alive"] = "GET /plain/?ID HTTP/1.0\r\nhost: example.com\r\nconnection: keep-alive\r\n\r\n",
        ["http-1.0-without-host"] = "GET /plain/?ID HTTP/1.0\r\n\r\n",
        ["absolute-form"] = "GET http://example.com/plain/?ID HTTP/1.1\r\nhost: other.example.com\r\n\r\n",
        ["absolute-form-https"] = "GET https://example.com/plain/?ID HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["double-slash"] = Get("/plain//a?ID"),
        ["double-slash-first"] = Get("//plain/a?ID"),
        ["dot-segments"] = Get("/nowhere/../plain/a?ID"),
        ["dot-segments-escaped"] = Get("/nowhere/%2e%2e/plain/a?ID"),
        ["dot-segments-above-root"] = Get("/../../plain/a?ID"),
        ["escaped-slash"] = Get("/plain/a%2Fb?ID"),
        ["escaped-prefix"] = Get("/%70lain/a?ID"),
        ["escaped-nul"] = Get("/plain/%00?ID"),
        ["escape-broken"] = Get("/plain/%zz?ID"),
        ["backslash"] = Get("/plain/a\\b?ID"),
        ["fragment"] = Get("/plain/?ID#part"),
        ["query-odd"] = Get("/plain/?ID&a=[]{}|^`\"<>"),
        ["path-8-bit"] = Get("/plain/caf\u00e9?ID"),
        ["pipelined"] = Get("/plain/1?ID") + Get("/plain/2?ID", "connection: close\r\n"),
        ["websocket-not-allowed"] = Get(
            "/plain/?ID", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
        ["websocket"] = Get(
            "/socket/?ID",
            "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nx-do: 101\r\n"),
        ["websocket-refused-by-upstream"] = Get(
            "/socket/?ID", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
        ["upgrade-other"] = Get("/socket/?ID", "connection: upgrade\r\nupgrade: something\r\n"),
        ["upgrade-h2c"] = Get("/plain/?ID", "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"),
        ["connect"] = "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n",
    });

    private static IEnumerable<Exchange> Malformed() => Of("Malformed requests", new()
    {
        ["host-missing"] = "GET /plain/?ID HTTP/1.1\r\n\r\n",
        ["host-empty"] = Get("/plain/?ID", host: ""),
        ["host-twice"] = Get("/plain/?ID", "host: example.org\r\n"),
        ["host-with-space"] = Get("/plain/?ID", host: "a b"),
        ["length-twice-equal"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nhi",
        ["length-twice-different"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi!",
        ["length-negative"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ncontent-length: -2\r\n\r\nhi",
        ["length-plus"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ncontent-length: +2\r\n\r\nhi",
        ["length-and-chunked"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ["chunked-twice"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        ["transfer-gzip"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        ["transfer-unknown"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        ["transfer-in-1.0"] = "POST /plain/?ID HTTP/1.0\r\nhost: example.com\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ["chunk-size-broken"] = "POST /plain/?ID HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nbody\r\n0\r\n\r\n",
        ["folded-header"] = Get("/plain/?ID", "x-a: one\r\n two\r\n"),
        ["space-before-colon"] = Get("/plain/?ID", "x-a : one\r\n"),
        ["nul-in-header"] = Get("/plain/?ID", "x-a: o\0ne\r\n"),
        ["control-in-header"] = Get("/plain/?ID", "x-a: o\u0001ne\r\n"),
        ["header-name-broken"] = Get("/plain/?ID", "x(a): one\r\n"),
        ["header-name-empty"] = Get("/plain/?ID", ": one\r\n"),
        ["header-without-colon"] = Get("/plain/?ID", "nonsense\r\n"),
        ["header-underscore"] = Get("/plain/?ID", "x_under: 1\r\n"),
        ["line-feeds-alone"] = "GET /plain/?ID HTTP/1.1\nhost: example.com\n\n",
        ["method-lower-case"] = "get /plain/?ID HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["method-broken"] = "GE(T /plain/?ID HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["version-2.0"] = "GET /plain/?ID HTTP/2.0\r\nhost: example.com\r\n\r\n",
        ["version-missing"] = "GET /plain/?ID\r\nhost: example.com\r\n\r\n",
        ["space-in-target"] = "GET /plain/ ?ID HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["target-without-slash"] = "GET plain/?ID HTTP/1.1\r\nhost: example.com\r\n\r\n",
        ["empty-line-first"] = "\r\n" + Get("/plain/?ID"),
        ["header-too-large"] = Get("/plain/?ID", $"x-a: {new string('a', 70_000)}\r\n"),
        ["headers-too-many"] = Get("/plain/?ID", string.Concat(Enumerable.Range(0, 120).Select(i => $"x-{i}: 1\r\n"))),
        ["url-long"] = Get($"/plain/{new string('a', 30_000)}?ID"),
        ["not-http"] = "SSH-2.0-parity\r\n\r\n",
    });

    private static IEnumerable<Exchange> Tls()
    {
        yield return new(
            "TLS", "tls", Get("/plain/?ID", host: "secure.example.com").Replace("ID", "tls", StringComparison.Ordinal), ServerName: "secure.example.com");
        yield return new(
            "TLS", "tls-host-differs", Get("/plain/?ID", host: "modern.example.com").Replace("ID", "tls-host-differs", StringComparison.Ordinal),
            ServerName: "secure.example.com");
        yield return new(
            "TLS", "tls-1.3-only", Get("/plain/?ID", host: "modern.example.com").Replace("ID", "tls-1.3-only", StringComparison.Ordinal),
            ServerName: "modern.example.com");
        yield return new(
            "TLS", "tls-unknown-name", Get("/plain/?ID", host: "nobody.example.org").Replace("ID", "tls-unknown-name", StringComparison.Ordinal),
            ServerName: "nobody.example.org");
        yield return new(
            "TLS", "tls-strict-host", Get("/plain/?ID", host: "strict.example.com").Replace("ID", "tls-strict-host", StringComparison.Ordinal),
            ServerName: "strict.example.com");
    }

    private static IEnumerable<Exchange> Of(string area, Dictionary<string, string> all) => all.Select(pair =>
        new Exchange(area, pair.Key, pair.Value.Replace("ID", pair.Key, StringComparison.Ordinal), pair.Value.Split(' ')[0]));
}
