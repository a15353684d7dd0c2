namespace Nuncio.EndToEndTests.Features.Traffic;

[Collection(nameof(PlainGroup))]
public class HeaderTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TRF-22")]
    [Manifest("""
        Mapping host-rewrite: { hostname: "*", prefix: /host-rewrite/, host_rewrite: inner.example.com, service: $(a) }
        """)]
    public async Task HostRewrite_IsWhatTheUpstreamSees(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/host-rewrite/")).Seen("host").ShouldBe("inner.example.com");

    [SkippableTheory, DataPlanes, Feature("TRF-23")]
    [Manifest("""
        Mapping auto-host: { hostname: "*", prefix: /auto-host/, auto_host_rewrite: true, service: "localhost:$(a.port)" }
        """)]
    public async Task AutoHostRewrite_IsTheDnsNameOfTheService(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/auto-host/")).Seen("host").ShouldBe("localhost");

    [SkippableTheory, DataPlanes, Feature("TRF-24")]
    [Manifest("""
        Mapping add-request:
          hostname: "*"
          prefix: /add-request/
          service: $(a)
          add_request_headers:
            x-client: { value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" }
            x-appended: { value: two }
            x-replaced: { value: two, append: false }
        """)]
    public async Task AddRequestHeaders_AreExpandedAndAppendedOrReplaced(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync("/add-request/", "example.com", "x-appended: one", "x-replaced: one");

        System.Net.IPAddress.TryParse(reply.Seen("x-client"), out _).ShouldBeTrue(reply.ToString());
        reply.Seen("x-appended").ShouldBe("one,two");
        reply.Seen("x-replaced").ShouldBe("two");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-25")]
    [Manifest("""
        Mapping add-response: { hostname: "*", prefix: /add-response/, service: $(a),
          add_response_headers: { x-new: { value: "yes" }, x-appended: { value: two }, x-replaced: { value: two, append: false } } }
        """)]
    public async Task AddResponseHeaders_AreAppendedOrReplaced(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync(
            "/add-response/", "example.com", "x-answer-header: x-appended: one", "x-answer-header: x-replaced: one");

        reply["x-new"].ShouldBe("yes");
        reply["x-appended"].ShouldBe("one,two");
        reply["x-replaced"].ShouldBe("two");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-26", "TRF-27")]
    [Manifest("""
        Mapping remove: { hostname: "*", prefix: /remove/, service: $(a), remove_request_headers: [x-secret], remove_response_headers: [x-internal] }
        """)]
    public async Task RemovedHeaders_AreSeenByNobody(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync(
            "/remove/", "example.com", "X-Secret: 1", "x-kept: 1", "x-answer-header: x-internal: 1", "x-answer-header: x-public: 1");

        reply.Seen("x-secret").ShouldBeNull();
        reply.Seen("x-kept").ShouldBe("1");
        reply["x-internal"].ShouldBeNull();
        reply["x-public"].ShouldBe("1");
    }

    [SkippableTheory, DataPlanes, Feature("RES-10")]
    [Manifest("""
        Mapping linkerd: { hostname: "*", prefix: /linkerd/, add_linkerd_headers: true, service: $(a) }
        """)]
    public async Task LinkerdHeader_NamesServiceAndPort(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/linkerd/")).Seen("l5d-dst-override").ShouldBe(group.Upstreams.Address("a"));

    [SkippableTheory, DataPlanes, Feature("TRF-29")]
    [Manifest("""
        Mapping cors: { hostname: "*", prefix: /cors/, service: $(a), cors: { origins: ["https://good.example"], methods: [GET, POST], headers: [x-a],
          exposed_headers: [x-b], credentials: true, max_age: "600" } }
        """)]
    public async Task Cors_ForAnAllowedOrigin_IsAnsweredAndForOthersNot(DataPlane plane)
    {
        var gateway = await group.On(plane);
        string[] preflight = ["access-control-request-method: POST", "access-control-request-headers: x-a"];

        var allowed = await gateway.SendAsync("OPTIONS", "/cors/", "example.com", ["origin: https://good.example", .. preflight]);
        var refused = await gateway.SendAsync("OPTIONS", "/cors/", "example.com", ["origin: https://bad.example", .. preflight]);
        var simple = await gateway.GetAsync("/cors/", "example.com", "origin: https://good.example");

        allowed.ShouldBeAnswered(200);
        allowed["access-control-allow-origin"].ShouldBe("https://good.example");
        allowed["access-control-allow-methods"]!.Replace(" ", "", StringComparison.Ordinal).ShouldBe("GET,POST");
        allowed["access-control-allow-headers"].ShouldBe("x-a");
        allowed["access-control-allow-credentials"].ShouldBe("true");
        allowed["access-control-max-age"].ShouldBe("600");
        refused["access-control-allow-origin"].ShouldBeNull();
        simple.ShouldBeFrom("a");
        simple["access-control-allow-origin"].ShouldBe("https://good.example");
        simple["access-control-expose-headers"].ShouldBe("x-b");
    }
}
