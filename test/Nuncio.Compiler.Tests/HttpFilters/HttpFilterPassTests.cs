using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Google.Protobuf;
using RbacFilter = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;

namespace Nuncio.Compiler.Tests.HttpFilters;

public class HttpFilterPassTests
{
    private const string Route =
        "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: m}\nspec: {prefix: /x/, service: svc, hostname: '*'}\n";

    private static IEnumerable<string> Names(Compiled compiled) =>
        compiled.Manager("l", "http").HttpFilters.Select(filter => filter.Name["envoy.filters.http.".Length..]);

    private static T Filter<T>(Compiled compiled)
        where T : IMessage<T>, new() =>
        compiled.Manager("l", "http").HttpFilters.Select(filter => filter.TypedConfig).Single(config => config.Is(new T().Descriptor)).Unpack<T>();

    [Fact]
    public void Filters_StandInTheOrderOfTheSpecification()
    {
        var compiled = Compiled.From(
            Compiled.Listener()
            + Compiled.Quiet("enable_grpc_http11_bridge: true, enable_grpc_web: true, grpc_stats: {all_methods: true}, lua_scripts: 'x = 1', gzip: {}, buffer: "
            + "{max_request_bytes: 10}, ip_deny: [{peer: 10.0.0.0/8}]")
            + Compiled.Resource("AuthService", "auth", "{auth_service: 'auth:3000'}")
            + Compiled.Resource("RateLimitService", "limit", "{service: 'limit:8081', protocol_version: v3}"));
        Names(compiled).ShouldBe(
            ["grpc_http1_bridge", "grpc_web", "grpc_stats", "lua", "compressor", "buffer", "rbac", "cors", "ext_authz", "ratelimit", "router"]);
    }

    [Theory]
    [InlineData("function (")]
    [InlineData("\"x = 1\\0 y = 2\"")]
    [InlineData("x = 7 // 2")]
    [InlineData("x = 7 & 2")]
    [InlineData("x = ~7")]
    [InlineData("x = 1 << 3")]
    [InlineData("local x <const> = 7")]
    public void Lua_ThatDoesNotParse_IsAFindingAndAnswers500(string script)
    {
        var compiled = Compiled.From(Compiled.Listener() + Compiled.Quiet("lua_scripts: " + script) + Route);

        compiled.Codes.ShouldContain(FindingCodes.InvalidFieldValue);
        Filter<Envoy.Extensions.Filters.Http.Lua.V3.Lua>(compiled).InlineCode.ShouldContain("500");
        compiled.VirtualHosts("l", "http").ShouldNotBeEmpty();
    }

    [Fact]
    public void Lua_WhoseTextsLookLikeLaterOperators_IsTaken()
    {
        const string Script = """
            x = 'http://a' ~= "a\"//b" -- & | ~
            y = [[//]] .. [==[ ]] & ]==] --[[ << ]] z = 1 > 2 or 1 < 2
            """;
        var compiled = Compiled.From(Compiled.Listener() + Compiled.Quiet("lua_scripts: " + System.Text.Json.JsonSerializer.Serialize(Script)) + Route);

        compiled.Codes.ShouldNotContain(FindingCodes.InvalidFieldValue);
        Filter<Envoy.Extensions.Filters.Http.Lua.V3.Lua>(compiled).InlineCode.ShouldBe(Script);
    }

    [Fact]
    public void Switches_SetToFalse_SwitchOff()
    {
        var compiled = Compiled.From(Compiled.Listener() + Compiled.Quiet("enable_grpc_web: false, enable_grpc_http11_bridge: false"));
        Names(compiled).ShouldBe(["cors", "router"]);
    }

    [Theory]
    [InlineData("ip_allow: [{peer: nonsense}]")]
    [InlineData("ip_deny: [{remote: 10.0.0.0/99}]")]
    public void AddressRules_WithoutAnyValidEntry_LetNobodyIn(string rules)
    {
        var compiled = Compiled.From(Compiled.Listener() + Compiled.Quiet(rules));
        compiled.Codes.ShouldContain(FindingCodes.AddressRuleInvalid);
        var filter = Filter<RbacFilter>(compiled);
        filter.Rules.Action.ShouldBe(Envoy.Config.Rbac.V3.RBAC.Types.Action.Allow);
        filter.Rules.Policies.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{auth_service: 'auth:3000', proto: grpc}")]
    [InlineData("{auth_service: 'auth:3000', include_body: {max_bytes: 10, allow_partial: true}, allow_request_body: true}")]
    [InlineData("{auth_service: 'auth:3000', status_on_error: {code: 599}}")]
    [InlineData("{auth_service: 'auth:3000', path_prefix: '/a b'}")]
    public void AuthService_WithAMistake_AnswersEverything500(string spec)
    {
        var compiled = Compiled.From(Compiled.Listener() + Compiled.Quiet() + Compiled.Resource("AuthService", "auth", spec) + Route);
        compiled.Codes.ShouldContain(FindingCodes.AuthServiceInvalid);
        var hosts = compiled.VirtualHosts("l", "http");
        hosts.ShouldContainKey("*");
        foreach (var route in hosts.Values.SelectMany(host => host.Routes)) route.DirectResponse.Status.ShouldBe(500u);
        hosts.Values.ShouldAllBe(host => host.Routes.Last().Match.Prefix == "/" && host.Routes.Last().Match.Headers.Count == 0);
        compiled.Manager("l", "http").LocalReplyConfig.Mappers.Single().BodyFormatOverride.TextFormatSource.InlineString
            .ShouldContain("the auth.default.1 AuthService is misconfigured");
    }

    [Fact]
    public void AuthServices_ThatAgree_AreOneClusterWithTheEndpointsOfAll()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Resource("AuthService", "one", "{auth_service: 'one:3000'}")
            + Compiled.Resource("AuthService", "two", "{auth_service: 'two:3001', allowed_request_headers: [x-a]}") + Route);
        var http = Filter<ExtAuthz>(compiled).HttpService;
        http.AuthorizationRequest.AllowedHeaders.Patterns.Select(pattern => pattern.Exact).ShouldContain("x-a");
        compiled.Snapshot.Clusters[http.ServerUri.Cluster].Message.LoadAssignment.Endpoints.Single().LbEndpoints
            .Select(endpoint => endpoint.Endpoint.Address.SocketAddress.Address).ShouldBe(["one", "two"]);
        compiled.Snapshot.Clusters.Keys.Count(name => name.Contains("extauth", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public void AuthServices_ThatDisagree_AnswerEverything500()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Resource("AuthService", "one", "{auth_service: 'one:3000', path_prefix: /a}")
            + Compiled.Resource("AuthService", "two", "{auth_service: 'two:3000', path_prefix: /b}") + Route);
        compiled.Codes.ShouldContain(FindingCodes.AuthServiceInvalid);
        foreach (var route in compiled.VirtualHosts("l", "http").Values.SelectMany(host => host.Routes)) route.DirectResponse.Status.ShouldBe(500u);
    }

    [Fact]
    public void AuthService_OverHttp_SendsAndTakesTheListedHeaders()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet()
            + Compiled.Resource(
                "AuthService", "auth",
                "{auth_service: 'auth:3000', path_prefix: /check, allowed_request_headers: [X-User], add_auth_headers: {x-from: gw}, timeout_ms: 100}"));
        var http = Filter<ExtAuthz>(compiled).HttpService;
        http.PathPrefix.ShouldBe("/check");
        http.ServerUri.Timeout.ToTimeSpan().ShouldBe(TimeSpan.FromMilliseconds(100));
        http.AuthorizationRequest.AllowedHeaders.Patterns.Select(pattern => pattern.Exact).ShouldContain("x-user");
        http.AuthorizationRequest.HeadersToAdd.Single().Key.ShouldBe("x-from");
        compiled.Snapshot.Clusters.ShouldContainKey(http.ServerUri.Cluster);
    }

    [Fact]
    public void RateLimitService_ThatMustDeny_FailsClosed()
    {
        var open = Compiled.From(Compiled.Listener() + Compiled.Quiet() + Compiled.Resource("RateLimitService", "r", "{service: limit}"));
        open.Codes.ShouldContain(FindingCodes.RateLimitServiceInvalid);
        Names(open).ShouldNotContain("ratelimit");
        var closed = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Resource("RateLimitService", "r", "{service: limit, failure_mode_deny: true}"));
        Names(closed).ShouldContain("ratelimit");
    }

    [Theory]
    [InlineData("{failure_mode_deny: true, protocol_version: v3}", "getambassador.io/v3alpha1")]
    [InlineData("{service: limit, failure_mode_deny: true, timeout_ms: soon}", "getambassador.io/v3alpha1")]
    [InlineData("{service: limit, failure_mode_deny: true, protocol_version: v3}", "getambassador.io/v9")]
    public void RateLimitService_ThatMustDenyAndCannotBeRead_FailsClosed(string spec, string version)
    {
        var service = Compiled.Resource("RateLimitService", "r", spec).Replace("getambassador.io/v3alpha1", version, StringComparison.Ordinal);
        var closed = Compiled.From(Compiled.Listener() + Compiled.Quiet() + service);
        Names(closed).ShouldContain("ratelimit");
        closed.Codes.ShouldContain(FindingCodes.RateLimitServiceInvalid);
        var open = service.Replace("failure_mode_deny: true", "failure_mode_deny: false", StringComparison.Ordinal);
        Names(Compiled.From(Compiled.Listener() + Compiled.Quiet() + open)).ShouldNotContain("ratelimit");
    }

    [Fact]
    public void Statsd_SwitchedOn_IsNotYetSupported()
    {
        var compiled = Compiled.From(Compiled.Listener() + Compiled.Quiet(), CompilerOptions.Default with { StatsdEnabled = true });
        compiled.Codes.ShouldContain(FindingCodes.NotYetSupported);
        Compiled.From(Compiled.Listener() + Compiled.Quiet()).Codes.ShouldNotContain(FindingCodes.NotYetSupported);
    }

    [Fact]
    public void RateLimitServices_OfWhichOneMustDeny_AskWithinTheDefaultTime()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Resource("RateLimitService", "r", "{service: limit, protocol_version: v3}")
            + Compiled.Resource("RateLimitService", "s", "{service: limit, protocol_version: v3, failure_mode_deny: true, timeout_ms: -5}"));
        Names(compiled).ShouldContain("ratelimit");
        Filter<Envoy.Extensions.Filters.Http.Ratelimit.V3.RateLimit>(compiled).Timeout.ToTimeSpan().ShouldBe(TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    public void AuthService_OfAVersionThatDoesNotExist_FailsClosed()
    {
        var service = Compiled.Resource("AuthService", "auth", "{auth_service: auth}");
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Resource("Mapping", "m", "{hostname: '*', prefix: /m/, service: m}")
            + service.Replace("getambassador.io/v3alpha1", "getambassador.io/v9", StringComparison.Ordinal));
        compiled.Input.Findings.ShouldContain(finding => finding.Code == FindingCodes.UnsupportedApiVersion);
        compiled.Snapshot.RouteConfigurations.Values.ShouldAllBe(routes => routes.ToString()!.Contains("\"status\": 500", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("path_prefix: /check")]
    [InlineData("allowed_request_headers: [x-a]")]
    [InlineData("allowed_authorization_headers: [x-a]")]
    [InlineData("add_auth_headers: {x-a: b}")]
    [InlineData("add_linkerd_headers: true")]
    public void AuthService_WithGrpcAndAFieldOfHttp_IsReported(string field)
    {
        var compiled = Compiled.From(
            Compiled.Listener()
                + Compiled.Quiet() + Compiled.Resource("AuthService", "auth", $"{{auth_service: auth, proto: grpc, protocol_version: v3, {field}}}"));
        compiled.Codes.ShouldContain(FindingCodes.FieldWithoutEffect);
    }

    [Fact]
    public void Module_ShapesTheConnectionManager()
    {
        var compiled = Compiled.From(
            Compiled.Listener()
            + Compiled.Quiet(
                "server_name: gw, use_remote_address: false, merge_slashes: true, reject_requests_with_escaped_slashes: true, strip_matching_host_port: true, "
                    + "max_request_headers_kb: 80, listener_idle_timeout_ms: 30000, headers_with_underscores_action: DROP_HEADER, enable_http10: true, "
                + "forward_client_cert_details: SANITIZE_SET, set_current_client_cert_details: {subject: true, dns: true}, "
                + "preserve_external_request_id: true"));
        compiled.Codes.ShouldBe([FindingCodes.DefaultHostAssumed]);
        var manager = compiled.Manager("l", "http");
        manager.ServerName.ShouldBe("gw");
        manager.UseRemoteAddress.ShouldBe(false);
        manager.MergeSlashes.ShouldBeTrue();
        manager.StripMatchingHostPort.ShouldBeTrue();
        manager.PreserveExternalRequestId.ShouldBeTrue();
        manager.MaxRequestHeadersKb.ShouldBe(80u);
        manager.CommonHttpProtocolOptions.IdleTimeout.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(30));
        manager.CommonHttpProtocolOptions.HeadersWithUnderscoresAction.ShouldBe(CoreV3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction.DropHeader);
        manager.HttpProtocolOptions.AcceptHttp10.ShouldBeTrue();
        manager.ForwardClientCertDetails.ToString().ShouldBe("SanitizeSet");
        manager.SetCurrentClientCertDetails.Subject.ShouldBe(true);
        manager.SetCurrentClientCertDetails.Dns.ShouldBeTrue();
        manager.PathWithEscapedSlashesAction.ToString().ShouldBe("RejectRequest");
    }

    [Theory]
    [InlineData("forward_client_cert_details: NONSENSE")]
    [InlineData("headers_with_underscores_action: NONSENSE")]
    [InlineData("max_request_headers_kb: 100000")]
    [InlineData("buffer: {max_request_bytes: 0}")]
    [InlineData("gzip: {compression_level: NONSENSE}")]
    public void ModuleValue_ThatEnvoyWouldRefuse_IsAFinding(string value)
    {
        var compiled = Compiled.From(Compiled.Listener() + Compiled.Quiet(value));
        compiled.Codes.ShouldContain(FindingCodes.InvalidFieldValue);
        compiled.Snapshot.Listeners.ShouldContainKey("l");
    }
}
