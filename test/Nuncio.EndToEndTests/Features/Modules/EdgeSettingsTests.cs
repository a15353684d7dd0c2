using System.IO.Compression;
using System.Text;

namespace Nuncio.EndToEndTests.Features.Modules;

/// <summary>What a Module says of all connections and requests.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        server_name: gateway
        suppress_envoy_headers: true
        enable_http10: true
        max_request_headers_kb: 16
        headers_with_underscores_action: REJECT_REQUEST
        preserve_external_request_id: true
        strip_matching_host_port: true
        listener_idle_timeout_ms: 3000
        proper_case: true
        buffer: { max_request_bytes: 1000 }
        buffer_limit_bytes: 65536
        gzip: { min_content_length: 200, content_type: [text/plain] }
        ip_deny: [{ remote: 192.0.2.0/24 }]
    Listener behind: { port: $(port:behind), protocol: HTTP, securityModel: XFP, l7Depth: 1, hostBinding: { namespace: { from: ALL } } }
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    Mapping ported: { hostname: "ported.com", prefix: /ported/, service: $(a) }
    """)]
public class EdgeSettingsTests(GatewayOf<EdgeSettingsTests> group) : IClassFixture<GatewayOf<EdgeSettingsTests>>
{
    [SkippableTheory, DataPlanes, Feature("MOD-09", "MOD-10", "MOD-17")]
    public async Task ResponseHeaders_AreAsTheModuleSays(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync("/all/");

        reply.ShouldBeFrom("a");
        reply["server"].ShouldBe("gateway");
        reply.HeaderNames.ShouldNotContain(name => name.StartsWith("x-envoy", StringComparison.OrdinalIgnoreCase));
        reply.HeaderNames.ShouldContain("Content-Length");
        reply.HeaderNames.ShouldContain("X-Upstream");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-11")]
    public async Task Http10_IsServed(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectAsync();
        await client.Wire.WriteAsync("GET /all/ HTTP/1.0\r\nhost: example.com\r\n\r\n");

        new Reply(await client.Wire.ReadResponseAsync()).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-12")]
    public async Task RequestHeaders_AboveTheLimit_Give431(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/all/", headers: "x-large: " + new string('x', 20_000))).ShouldBeAnswered(431);
        (await gateway.GetAsync("/all/", headers: "x-large: " + new string('x', 10_000))).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-13")]
    public async Task HeaderWithUnderscore_IsRejected(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/all/", headers: "a_b: 1")).ShouldBeAnswered(400);

    [SkippableTheory, DataPlanes, Feature("MOD-14")]
    public async Task RequestId_OfTheClient_IsKept(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync("/all/", headers: "x-request-id: 11111111-2222-4333-8444-555555555555");

        reply.Seen("x-request-id").ShouldBe("11111111-2222-4333-8444-555555555555");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-15")]
    public async Task HostPort_ThatIsTheListeners_IsNotLookedAt(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/ported/", $"ported.com:{gateway.Port()}")).ShouldBeFrom("a");
        (await gateway.GetAsync("/ported/", "ported.com:1")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("MOD-16")]
    public async Task IdleConnection_OfAClient_IsClosed(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectAsync();
        (await client.GetAsync("/all/")).ShouldBeFrom("a");

        (await client.Wire.ReadToEndAsync()).ShouldBeEmpty();
    }

    [SkippableTheory, DataPlanes, Feature("MOD-03")]
    public async Task RequestBody_AboveTheBuffer_Gives413(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("POST", "/all/", body: new string('x', 2000))).ShouldBeAnswered(413);
        (await gateway.SendAsync("POST", "/all/", body: new string('x', 900))).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-02")]
    public async Task LongResponse_WhereTheClientTakesGzip_IsCompressed(DataPlane plane)
    {
        var gateway = await group.On(plane);
        string[] wanted = ["accept-encoding: gzip", "x-answer-header: content-type: text/plain", "x-answer-body: 0123456789"];

        var compressed = await gateway.GetAsync("/all/", "example.com", [.. wanted, "x-answer-repeat: 100"]);
        var tooShort = await gateway.GetAsync("/all/", "example.com", [.. wanted, "x-answer-repeat: 10"]);
        var notAsked = await gateway.GetAsync("/all/", "example.com", [.. wanted[1..], "x-answer-repeat: 100"]);

        compressed["content-encoding"].ShouldBe("gzip");
        await using var unzip = new GZipStream(new MemoryStream(compressed.Bytes), CompressionMode.Decompress);
        using var text = new StreamReader(unzip, Encoding.ASCII);
        (await text.ReadToEndAsync()).ShouldBe(new StringBuilder().Insert(0, "0123456789", 100).ToString());
        tooShort["content-encoding"].ShouldBeNull();
        notAsked["content-encoding"].ShouldBeNull();
    }

    [SkippableTheory, DataPlanes, Feature("MOD-07")]
    public async Task Client_WhoseAddressIsDenied_Gets403(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var denied = await gateway.SendAsync("GET", "/all/", headers: ["x-forwarded-for: 192.0.2.7"], port: "behind");
        denied.ShouldBeAnswered(403);
        denied.Body.ShouldContain("RBAC: access denied");
        (await gateway.SendAsync("GET", "/all/", headers: ["x-forwarded-for: 198.51.100.1"], port: "behind")).ShouldBeFrom("a");
        (await gateway.GetAsync("/all/", headers: "x-forwarded-for: 192.0.2.7")).ShouldBeFrom("a");
    }
}

/// <summary>Addresses that are let in, and the trust in X-Forwarded-For.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        use_remote_address: false
        ip_allow: [{ remote: 198.51.100.0/24 }]
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    """)]
public class AddressTests(GatewayOf<AddressTests> group) : IClassFixture<GatewayOf<AddressTests>>
{
    [SkippableTheory, DataPlanes, Feature("MOD-06", "MOD-08")]
    public async Task Client_WhoseAddressIsNotAllowed_Gets403(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var allowed = await gateway.GetAsync("/all/", headers: "x-forwarded-for: 198.51.100.5");
        allowed.ShouldBeFrom("a");
        // The header is believed and left alone where the address of the connection is not the client's.
        allowed.Seen("x-forwarded-for").ShouldBe("198.51.100.5");
        var denied = await gateway.GetAsync("/all/", headers: "x-forwarded-for: 203.0.113.5");
        denied.ShouldBeAnswered(403);
        denied.Body.ShouldContain("RBAC: access denied");
    }
}

/// <summary>Peers that are let in: the connection's own address counts.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador: { config: { ip_allow: [{ peer: 192.0.2.1 }] } }
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    """)]
public class PeerTests(GatewayOf<PeerTests> group) : IClassFixture<GatewayOf<PeerTests>>
{
    [SkippableTheory, DataPlanes, Feature("MOD-06")]
    public async Task Peer_ThatIsNotListed_Gets403(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/all/", headers: "x-forwarded-for: 192.0.2.1")).ShouldBeAnswered(403);
}

/// <summary>Settings of Envoy itself.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        buffer_limit_bytes: 2048
        runtime_flags: { http.max_requests_per_io_cycle: 5 }
        envoy_validation_timeout: 0
        lua_scripts: |
          function envoy_on_request(handle)
            if handle:headers():get("x-read") then handle:body() end
          end
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    """)]
public class ProcessSettingsTests(GatewayOf<ProcessSettingsTests> group) : IClassFixture<GatewayOf<ProcessSettingsTests>>
{
    [SkippableTheory, DataPlanes, Feature("MOD-18")]
    public async Task BufferLimit_IsWhatAFilterMayGather(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("POST", "/all/", headers: ["x-read: 1"], body: new string('x', 40_000))).ShouldBeAnswered(413);
        (await gateway.SendAsync("POST", "/all/", headers: ["x-read: 1"], body: new string('x', 1000))).ShouldBeFrom("a");
        (await gateway.SendAsync("POST", "/all/", body: new string('x', 40_000))).ShouldBeFrom("a");
    }

    [SkippableFact, Feature("MOD-19")]
    public async Task RuntimeFlags_AreInEnvoysRuntime() =>
        (await (await group.On(DataPlane.Envoy)).AdminTextAsync("/runtime")).ShouldContain("http.max_requests_per_io_cycle");

    [Fact, Feature("MOD-20")]
    public async Task EnvoyValidationTimeout_IsReportedSinceNoEnvoyValidates() =>
        (await group.FindingsAsync()).ShouldContain(
            finding => finding.Code == "field-without-effect" && finding.Field == "spec.config.envoy_validation_timeout");
}
