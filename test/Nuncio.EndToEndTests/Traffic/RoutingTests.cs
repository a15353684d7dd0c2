using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Traffic;

public class RoutingTests
{
    [Fact]
    public async Task Mappings_OfAllKinds_AreMatchedAsEmissaryDoes()
    {
        await using var backend = WireBackend.Start(request => Responses.Ok(request.Target, $"x-upstream: {request["x-mapping"]}\r\n"));
        string Map(string name, string prefix, params string[] fields) =>
            Manifests.Mapping(name, prefix, backend.Port, [$"add_request_headers: {{ x-mapping: {{ value: {name} }} }}", .. fields]);
        await using var gateway = await RunningGateway.StartAsync(
            Map("plain", "/plain/")
            + Map("longer", "/plain/longer/")
            + Map("exact", "/exact", "prefix_exact: true")
            + Map("regex", "\"/r/[0-9]+/.*\"", "prefix_regex: true", "rewrite: \"\"")
            + Map("method", "/method/", "method: POST")
            + Map("header", "/header/", "headers: { x-kind: special }")
            + Map("header-any", "/header/")
            + Map("query", "/query/", "query_parameters: { v: \"2\" }")
            + Map("rewritten", "/old/", "rewrite: /new/")
            + Map("kept", "/kept/", "rewrite: \"\"")
            + Map("regex-rewrite", "/rr/", "regex_rewrite: { pattern: \"/rr/([a-z]+)\", substitution: \"/x/\\\\1\" }")
            + Map("folded", "/Folded/", "case_sensitive: false")
            + Map("high", "/plain/longer/first", "precedence: -1"));

        (await Ask("/plain/a")).ShouldBe(("plain", "/a"));
        (await Ask("/plain/longer/a")).ShouldBe(("longer", "/a"));
        (await Ask("/exact")).ShouldBe(("exact", "/"));
        (await Ask("/exact/no")).ShouldBe((null, ""));
        (await Ask("/r/12/x")).ShouldBe(("regex", "/r/12/x"));
        (await Ask("/r/a/x")).ShouldBe((null, ""));
        (await Ask("/method/")).ShouldBe((null, ""));
        (await Ask("/method/", "POST")).ShouldBe(("method", "/"));
        (await Ask("/header/", headers: "x-kind: special\r\n")).ShouldBe(("header", "/"));
        (await Ask("/header/")).ShouldBe(("header-any", "/"));
        (await Ask("/query/?v=2")).ShouldBe(("query", "/?v=2"));
        (await Ask("/query/?v=3")).ShouldBe((null, ""));
        (await Ask("/old/a?b=c")).ShouldBe(("rewritten", "/new/a?b=c"));
        (await Ask("/kept/a")).ShouldBe(("kept", "/kept/a"));
        (await Ask("/rr/abc")).ShouldBe(("regex-rewrite", "/x/abc"));
        (await Ask("/fOLDED/a")).Mapping.ShouldBe("folded");
        (await Ask("/nowhere")).ShouldBe((null, ""));

        async Task<(string? Mapping, string Target)> Ask(string target, string method = "GET", string headers = "")
        {
            var response = await gateway.SendAsync(method, target, headers: headers);
            return response.Status == 404 ? (null, response.BodyText) : (response["x-upstream"], response.BodyText);
        }
    }

    [Fact]
    public async Task Hostnames_ExactAndGlobs_ChooseTheVirtualHost()
    {
        await using var backend = WireBackend.Start(request => Responses.Ok(request["x-mapping"]!));
        string Map(string name, string hostname) =>
            Manifests.Mapping(name, "/", backend.Port, $"add_request_headers: {{ x-mapping: {{ value: {name} }} }}")
                .Replace("hostname: \"*\"", $"hostname: \"{hostname}\"", StringComparison.Ordinal);
        await using var gateway = await RunningGateway.StartAsync(
            Map("exact", "a.example.com") + Map("suffix", "*.example.com") + Map("prefix", "a.example.*") + Map("all", "*"));

        (await Ask("a.example.com")).ShouldBe("exact");
        (await Ask("b.example.com")).ShouldBe("suffix");
        (await Ask("a.example.org")).ShouldBe("prefix");
        (await Ask("else.test")).ShouldBe("all");

        async Task<string> Ask(string host) => (await gateway.SendAsync("GET", "/", host)).BodyText;
    }

    [Fact]
    public async Task Canary_WithAWeight_TakesItsShare()
    {
        await using var main = WireBackend.Start(_ => Responses.Ok("main"));
        await using var canary = WireBackend.Start(_ => Responses.Ok("canary"));
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("main", "/a/", main.Port) + Manifests.Mapping("canary", "/a/", canary.Port, "weight: 30"));
        await using var client = await WireClient.ConnectAsync(gateway.Port);
        var taken = 0;

        for (var i = 0; i < 1000; i++)
        {
            if ((await client.SendAsync("GET", "/a/", "example.com")).BodyText == "canary") taken++;
        }

        // Seven standard deviations around 300.
        taken.ShouldBeInRange(200, 400);
    }

    [Fact]
    public async Task InsecureRequest_OfAHostThatRedirects_IsSentToHttps()
    {
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Listener
            + """
            apiVersion: getambassador.io/v3alpha1
            kind: Host
            metadata: { name: everywhere, namespace: default }
            spec: { hostname: "*" }
            ---

            """
            + Manifests.Mapping("a", "/a/", "quote"),
            complete: true);

        var response = await gateway.SendAsync("GET", "/a/x?y=1");

        response.Status.ShouldBe(301);
        response["location"].ShouldBe("https://example.com/a/x?y=1");
    }

    [Fact]
    public async Task Mapping_ThatRedirects_AnswersWithTheLocation()
    {
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("moved", "/moved/", "elsewhere.example.com", "host_redirect: true", "path_redirect: /there/", "redirect_response_code: 302"));

        var response = await gateway.SendAsync("GET", "/moved/x?y=1");

        response.Status.ShouldBe(302);
        response["location"]!.ShouldStartWith("http://elsewhere.example.com/there/");
    }
}
