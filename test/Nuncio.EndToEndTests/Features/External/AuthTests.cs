using System.Text.Json;

namespace Nuncio.EndToEndTests.Features.External;

/// <summary>Authorisation over HTTP.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    AuthService http:
      auth_service: $(auth)
      proto: http
      path_prefix: /check
      timeout_ms: 5000
      allowed_request_headers: [x-answer-status, x-answer-header, x-answer-body, x-answer-gate, x-allowed]
      allowed_authorization_headers: [x-user]
      add_auth_headers: { x-static: "yes" }
      include_body: { max_bytes: 100, allow_partial: false }
    Mapping guarded: { hostname: "*", prefix: /guarded/, service: $(a) }
    Mapping open: { hostname: "*", prefix: /open/, bypass_auth: true, service: $(a) }
    Host redirecting: { hostname: redirecting.example.com }
    """)]
public class HttpAuthTests(GatewayOf<HttpAuthTests> group) : IClassFixture<GatewayOf<HttpAuthTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-01")]
    public async Task AuthService_DecidesOverEveryRequest(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/guarded/")).ShouldBeFrom("a");
        var denied = await gateway.GetAsync(
            "/guarded/", "example.com", "x-answer-status: 401", "x-answer-body: who are you?", "x-answer-header: www-authenticate: Basic");
        denied.ShouldBeAnswered(401);
        denied.Body.ShouldBe("who are you?");
        denied["www-authenticate"].ShouldBe("Basic");
    }

    [SkippableTheory, DataPlanes, Feature("EXT-04", "EXT-09")]
    public async Task Headers_ThatAreAllowed_CrossBothWays(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var reply = await gateway.GetAsync(
            $"/guarded/{plane}?q=1", "example.com", "authorization: Bearer x", "cookie: c=1", "x-allowed: 1", "x-other: 1", "x-answer-header: x-user: me",
            "x-answer-header: x-hidden: 1");

        reply.Seen("x-user").ShouldBe("me");
        reply.Seen("x-hidden").ShouldBeNull();
        reply.Seen("x-other").ShouldBe("1");
        var asked = await group.Upstreams.WaitForRequestAsync("auth", request => request.Target == $"/check/guarded/{plane}?q=1");
        asked["authorization"].ShouldBe("Bearer x");
        asked["cookie"].ShouldBe("c=1");
        asked["x-allowed"].ShouldBe("1");
        asked["x-other"].ShouldBeNull();
        asked["x-static"].ShouldBe("yes");
        asked["host"].ShouldBe("example.com");
    }

    [SkippableTheory, DataPlanes, Feature("EXT-05")]
    public async Task Body_OfARequest_IsShownUpToItsLimit(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("POST", $"/guarded/body-{plane}", body: "small body")).ShouldBeFrom("a");
        (await group.Upstreams.WaitForRequestAsync("auth", request => request.Target == $"/check/guarded/body-{plane}")).BodyText.ShouldBe("small body");
        (await gateway.SendAsync("POST", "/guarded/", body: new string('x', 200))).ShouldBeAnswered(413);
    }

    [SkippableTheory, DataPlanes, Feature("EXT-07")]
    public async Task BypassAuth_OfAMapping_AsksNobody(DataPlane plane)
    {
        (await (await group.On(plane)).GetAsync($"/open/{plane}", headers: "x-answer-header: x-a: 1")).ShouldBeFrom("a");

        group.Upstreams.Requests("auth").ShouldNotContain(request => request.Target.Contains($"/open/{plane}", StringComparison.Ordinal));
    }

    [SkippableTheory, DataPlanes, Feature("EXT-06", "EXT-09")]
    public async Task AuthService_ThatIsTooSlow_DeniesWith403(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/guarded/", headers: "x-answer-gate: never")).ShouldBeAnswered(403);

    [SkippableTheory, DataPlanes, Feature("HL-12")]
    public async Task RedirectToHttps_ComesBeforeAuthorisation(DataPlane plane)
    {
        (await (await group.On(plane)).GetAsync($"/guarded/redirect-{plane}", "redirecting.example.com", "x-answer-status: 401")).ShouldBeAnswered(301);

        group.Upstreams.Requests("auth").ShouldNotContain(request => request.Target.Contains($"redirect-{plane}", StringComparison.Ordinal));
    }
}

/// <summary>Authorisation over gRPC, and the rest of what asks or tells a gRPC service.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador: { config: { default_labels: { ambassador: { defaults: [{ generic_key: { value: everyone } }] } } } }
    AuthService grpc: { auth_service: $(authz:a), proto: grpc, protocol_version: v3, timeout_ms: 30000 }
    RateLimitService limits: { service: $(ratelimit:a), protocol_version: v3, timeout_ms: 30000 }
    LogService logs: { service: $(als:a), protocol_version: v3, driver: http, grpc: true, flush_interval_time: 1,
      driver_config: { additional_log_headers: [{ header_name: x-logged }] } }
    Mapping guarded: { hostname: "*", prefix: /guarded/, service: $(a), auth_context_extensions: { team: blue } }
    Mapping limited: { hostname: "*", prefix: /limited/, service: $(a), labels: { ambassador: [
      { first: [{ request_headers: { key: user, header_name: x-user-id } }, { generic_key: { key: plan, value: free } }, { remote_address: { key: remote_address } }] },
      { second: [{ destination_cluster: { key: destination_cluster } }] }] } }
    """)]
public class GrpcServiceTests(GatewayOf<GrpcServiceTests> group) : IClassFixture<GatewayOf<GrpcServiceTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-02", "EXT-08")]
    public async Task AuthService_OverGrpc_SeesTheRequestAndAddsHeaders(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var reply = await gateway.GetAsync($"/guarded/{plane}?q=1", "example.com", "x-any: 1");
        reply.Seen("x-user").ShouldBe("grpc");
        reply.Seen("x-context").ShouldBe("team=blue");
        var check = await group.Upstreams.WaitForMessageAsync(
            "authz:a", (_, message) => message.At(1, 4, 2).Text(4).StartsWith($"/guarded/{plane}", StringComparison.Ordinal));
        check.At(1, 4, 2).Text(2).ShouldBe("GET");
        check.At(1, 4, 2).Text(5).ShouldBe("example.com");
        check.At(1, 4, 2).Map(3)["x-any"].ShouldBe("1");
        var denied = await gateway.GetAsync("/guarded/", headers: "x-auth: deny");
        denied.ShouldBeAnswered(401);
        denied.Body.ShouldBe("denied over grpc");
        denied["www-authenticate"].ShouldBe("Basic");
    }

    [SkippableTheory, DataPlanes, Feature("EXT-11", "EXT-13", "EXT-14", "EXT-16")]
    public async Task RateLimitService_SeesTheLabelsInOrderAndAnswers429(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/limited/", headers: $"x-user-id: {plane}")).ShouldBeFrom("a");
        var over = await gateway.GetAsync("/limited/", headers: "x-user-id: over");

        over.ShouldBeAnswered(429);
        over["x-limit"].ShouldBe("reached");
        over.Body.ShouldBe("slow down");
        var asked = await group.Upstreams.WaitForMessageAsync(
            "ratelimit:a", (_, message) => message.All(2).Any(descriptor => descriptor.All(1).Any(entry => entry.Text(2) == plane.ToString())));
        asked.Text(1).ShouldBe("ambassador");
        var descriptors = asked.All(2).Select(descriptor => descriptor.All(1).Select(entry => (entry.Text(1), entry.Text(2))).ToArray()).ToArray();
        descriptors.Length.ShouldBe(2);
        descriptors[0][..3].ShouldBe([("generic_key", "everyone"), ("user", plane.ToString()), ("plan", "free")]);
        descriptors[0][3].Item1.ShouldBe("remote_address");
        descriptors[1][0].ShouldBe(("generic_key", "everyone"));
        descriptors[1][1].Item1.ShouldBe("destination_cluster");
    }

    [SkippableTheory, DataPlanes, Feature("EXT-15", "EXT-16")]
    public async Task Descriptor_WhoseHeaderIsMissing_IsLeftOut(DataPlane plane)
    {
        var gateway = await group.On(plane);
        var before = group.Upstreams.Messages("ratelimit:a").Count;

        (await gateway.GetAsync("/limited/")).ShouldBeFrom("a");
        (await gateway.GetAsync("/guarded/")).ShouldBeFrom("a");

        var asked = group.Upstreams.Messages("ratelimit:a").Skip(before).Select(message => message.Message).ToArray();
        asked.Length.ShouldBe(2);
        // Of two groups the one with the header is missing; a Mapping without labels has the default ones.
        asked[0].All(2).Count().ShouldBe(1);
        asked[1].All(2).ShouldHaveSingleItem().All(1).Select(entry => entry.Text(2)).ShouldBe(["everyone"]);
    }

    [SkippableTheory, DataPlanes, Feature("EXT-17")]
    public async Task LogService_GetsAnEntryForEachRequest(DataPlane plane)
    {
        var gateway = await group.On(plane);
        (await gateway.GetAsync($"/guarded/logged-{plane}", "example.com", "x-logged: yes")).ShouldBeFrom("a");

        var logs = await group.Upstreams.WaitForMessageAsync("als:a", (_, message) => Entry(message, plane) is not null);

        var entry = Entry(logs, plane)!;
        entry.At(3).Map(13)["x-logged"].ShouldBe("yes");
        entry.At(4, 1).Number(1).ShouldBe(200ul);

        static ProtoFields? Entry(ProtoFields message, DataPlane plane) => message.At(2).All(1).FirstOrDefault(entry =>
            entry.At(3).Text(10).EndsWith($"logged-{plane}", StringComparison.Ordinal) || entry.At(3).Text(5).EndsWith($"logged-{plane}", StringComparison.Ordinal));
    }
}

/// <summary>An AuthService over gRPC that does not say v3.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    AuthService old: { auth_service: $(authz:a), proto: grpc }
    Mapping guarded: { hostname: "*", prefix: /guarded/, service: $(a) }
    """)]
public class BrokenAuthTests(GatewayOf<BrokenAuthTests> group) : IClassFixture<GatewayOf<BrokenAuthTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-03")]
    public async Task AuthService_OfAnOldVersion_ClosesTheGateway(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync("/guarded/");

        reply.ShouldBeAnswered(500);
        using var body = JsonDocument.Parse(reply.Body);
        body.RootElement.GetProperty("status_code").GetInt32().ShouldBe(500);
        body.RootElement.GetProperty("message").GetString()!.ShouldContain("misconfigured");
        (await group.FindingsOnAsync("AuthService/old")).ShouldContain("auth-service-invalid");
    }
}

/// <summary>Services that are not there, and what is denied then.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    AuthService down: { auth_service: $(closed:auth), proto: http, status_on_error: { code: 503 } }
    RateLimitService down: { service: $(closed:limits), protocol_version: v3, failure_mode_deny: true }
    Mapping guarded: { hostname: "*", prefix: /guarded/, service: $(a) }
    Mapping limited: { hostname: "*", prefix: /limited/, bypass_auth: true, service: $(a), labels: { ambassador: [{ all: [{ generic_key: { value: x } }] }] } }
    """)]
public class DenyingFailureTests(GatewayOf<DenyingFailureTests> group) : IClassFixture<GatewayOf<DenyingFailureTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-06")]
    public async Task AuthService_ThatIsDown_DeniesWithItsStatus(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/guarded/")).ShouldBeAnswered(503);

    [SkippableTheory, DataPlanes, Feature("EXT-12")]
    public async Task RateLimitService_ThatIsDown_DeniesWhereItSaysSo(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/limited/")).ShouldBeAnswered(500);
}

/// <summary>Services that are not there, and what is allowed then.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    AuthService down: { auth_service: $(closed:auth), proto: http, failure_mode_allow: true }
    RateLimitService down: { service: $(closed:limits), protocol_version: v3 }
    Mapping guarded: { hostname: "*", prefix: /guarded/, service: $(a), labels: { ambassador: [{ all: [{ generic_key: { value: x } }] }] } }
    """)]
public class AllowingFailureTests(GatewayOf<AllowingFailureTests> group) : IClassFixture<GatewayOf<AllowingFailureTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-06", "EXT-12")]
    public async Task Services_ThatAreDown_LetRequestsPassWhereTheySaySo(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/guarded/")).ShouldBeFrom("a");
}

/// <summary>Two AuthServices that share the work.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    AuthService one: { auth_service: $(auth-one), proto: http, allowed_request_headers: [x-answer-status] }
    AuthService two: { auth_service: $(auth-two), proto: http, allowed_request_headers: [x-answer-status] }
    Mapping guarded: { hostname: "*", prefix: /guarded/, service: $(a) }
    """)]
public class SharedAuthTests(GatewayOf<SharedAuthTests> group) : IClassFixture<GatewayOf<SharedAuthTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-10")]
    public async Task AuthServices_ThatAreAlike_AreAskedInTurn(DataPlane plane)
    {
        var gateway = await group.On(plane);

        for (var i = 0; i < 8; i++) (await gateway.GetAsync($"/guarded/{plane}")).ShouldBeFrom("a");

        (await gateway.GetAsync("/guarded/", headers: "x-answer-status: 403")).ShouldBeAnswered(403);
        foreach (var name in new[] { "auth-one", "auth-two" })
            group.Upstreams.Requests(name).Count(request => request.Target == $"/guarded/{plane}").ShouldBeGreaterThan(2, name);
    }
}

/// <summary>What an AuthService tells, in logs and rate limits.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        envoy_log_type: json
        envoy_log_format: { path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", user: "%DYNAMIC_METADATA(envoy.filters.http.ext_authz:user)%", level: "%DYNAMIC_METADATA(envoy.filters.http.ext_authz:level)%" }
        lua_scripts: |
          function envoy_on_response(handle)
            local told = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.ext_authz")
            if told ~= nil then handle:headers():add("x-told", told["user"] .. " " .. tostring(told["level"] == 3)) end
          end
    AuthService grpc: { auth_service: $(authz:a), proto: grpc, protocol_version: v3, timeout_ms: 30000 }
    Mapping guarded: { hostname: "*", prefix: /guarded/, service: $(a) }
    """)]
public class AuthMetadataTests(GatewayOf<AuthMetadataTests> group) : IClassFixture<GatewayOf<AuthMetadataTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-02", "OBS-10")]
    public async Task DynamicMetadata_OfAnAuthService_IsSeenByScriptsAndLogs(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var reply = await gateway.GetAsync($"/guarded/told-{plane}");
        var line = await gateway.WaitForLogAsync($"told-{plane}");

        reply["x-told"].ShouldBe("ann true");
        using var entry = JsonDocument.Parse(line);
        entry.RootElement.GetProperty("user").GetString().ShouldBe("ann");
        entry.RootElement.GetProperty("level").GetInt32().ShouldBe(3);
    }
}
