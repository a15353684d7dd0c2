namespace Nuncio.EndToEndTests.Features.Modules;

/// <summary>Other bodies for error responses.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        error_response_overrides:
        - { on_status_code: 404, body: { text_format: "no %REQ(:path)% here: 100%% gone\n" } }
        - { on_status_code: 400, body: { text_format: "bad" } }
        - on_status_code: 503
          body:
            content_type: application/problem+json
            json_format: { status: "%RESPONSE_CODE%", path: "%REQ(:path)%", told: "it is \"%REQ(x-told?x-other):5%\"", none: "%REQ(x-none)%", was: "%RESP(content-type)%" }
    AuthService auth: { auth_service: $(auth), proto: http, allowed_request_headers: [x-answer-status, x-answer-header] }
    Mapping all: { hostname: "*", prefix: /all/, service: $(a), cors: { origins: ["http://a.com"], credentials: true } }
    Mapping own: { hostname: "*", prefix: /own/, service: $(a), error_response_overrides: [{ on_status_code: 401, body: { text_format: "<b>own</b>", content_type: text/html } }] }
    Mapping bypass: { hostname: "*", prefix: /bypass/, service: $(a), bypass_auth: true, bypass_error_response_overrides: true }
    Mapping open: { hostname: "*", prefix: /open/, service: $(a), bypass_auth: true }
    Mapping dead: { hostname: "*", prefix: /dead/, service: $(closed:a), bypass_auth: true }
    """)]
public class ErrorResponseTests(GatewayOf<ErrorResponseTests> group) : IClassFixture<GatewayOf<ErrorResponseTests>>
{
    [SkippableTheory, DataPlanes, Feature("MOD-21")]
    public async Task Errors_OfUpstreamsAndTheGateway_HaveTheModulesBody(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var upstream = await gateway.GetAsync(
            "/open/x", "example.com", "x-answer-status: 404", "x-answer-header: x-kept: 1", "x-answer-header: content-type: text/xml");
        var none = await gateway.GetAsync("/nothing");
        var dead = await gateway.GetAsync("/dead/x", "example.com", "x-other: quoted");
        var bad = await gateway.GetAsync("/open/", "example.com", "a b: c");

        upstream.Status.ShouldBe(404);
        upstream.Body.ShouldBe("no /open/x here: 100% gone\n");
        upstream["content-type"].ShouldBe("text/plain");
        upstream["content-length"].ShouldBe("27");
        upstream["x-kept"].ShouldBe("1");
        none.ShouldBeAnswered(404);
        none.Body.ShouldBe("no /nothing here: 100% gone\n");
        dead.ShouldBeAnswered(503);
        dead["content-type"].ShouldBe("application/problem+json");
        dead.Body.ShouldBe("""{"status":503,"path":"/dead/x","told":"it is \"quote\"","none":null,"was":"text/plain"}""");
        bad.ShouldBeAnswered(400);
        bad.Body.ShouldBe("bad");
        (await gateway.GetAsync("/open/x", headers: "x-answer-status: 402")).Body.ShouldContain("GET /x");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-21")]
    public async Task Refusals_KeepTheirHeaders(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var refused = await gateway.GetAsync("/own/", "example.com", "x-answer-status: 401", "x-answer-header: www-authenticate: Basic");
        var cors = await gateway.GetAsync("/all/x", "example.com", "x-answer-status: 404", "origin: http://a.com");

        refused.ShouldBeAnswered(401);
        refused.Body.ShouldBe("<b>own</b>");
        refused["content-type"].ShouldBe("text/html");
        refused["www-authenticate"].ShouldBe("Basic");
        cors["access-control-allow-origin"].ShouldBe("http://a.com");
        cors.Body.ShouldBe("no /all/x here: 100% gone\n");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-21")]
    public async Task Mapping_ThatSaysOtherwise_HasItsOwnBodiesOrNone(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/bypass/x", headers: "x-answer-status: 404")).Body.ShouldContain("GET /x");
        var head = await gateway.SendAsync("HEAD", "/open/x", headers: ["x-answer-status: 404"]);
        head.Status.ShouldBe(404);
        head.Body.ShouldBeEmpty();
    }

    [Fact]
    public async Task Overrides_ThatCannotBe_AreFindings()
    {
        var findings = await CheckedFinding.OfTextAsync("""
            Mapping it: { hostname: "*", prefix: /, service: s, error_response_overrides: [
              { on_status_code: 404, body: { text_format: "50%" } }, { on_status_code: 405, body: { text_format_source: { filename: /f } } },
              { on_status_code: 406, body: { text_format: "%UPSTREAM_HOST%" } }, { on_status_code: 407, body: { } },
              { on_status_code: 408, body: { text_format: a } }, { on_status_code: 408, body: { text_format: b } }] }
            """);

        findings.Where(finding => finding.Field.StartsWith("spec.error_response_overrides", StringComparison.Ordinal)).Select(
            finding => $"{finding.Level} {finding.Field}").ShouldBe(
                [
                    "error spec.error_response_overrides[0].body.text_format", "error spec.error_response_overrides[1].body.text_format_source",
                    "error spec.error_response_overrides[2].body.text_format", "error spec.error_response_overrides[3].body",
                    "warning spec.error_response_overrides[5].on_status_code",
                ],
                ignoreOrder: true);
    }
}
