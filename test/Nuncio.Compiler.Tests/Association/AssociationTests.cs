namespace Nuncio.Compiler.Tests.Association;

public class AssociationTests
{
    private static IEnumerable<string> Prefixes(Compiled compiled, string domain) =>
        compiled.VirtualHosts("l", "http")[domain].Routes.Select(route => route.Match.Prefix);

    private static string Labelled(string name, string spec, string labels) => Compiled.Resource("Mapping", name, spec, $"labels: {{{labels}}}");

    // SPEC 5.2: with or without selector on the Host, with or without host on the Mapping.
    [Fact]
    public void SelectorAndHostname_DecideTogether()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet()
            + Compiled.Host("plain", "{hostname: a.com, requestPolicy: {insecure: {action: Route}}}")
            + Compiled.Host("selecting", "{hostname: b.com, mappingSelector: {matchLabels: {app: x}}, requestPolicy: {insecure: {action: Route}}}")
            + Compiled.Mapping("star", "{prefix: /star/, service: svc, hostname: '*'}")
            + Compiled.Mapping("a", "{prefix: /a/, service: svc, hostname: a.com}")
            + Labelled("hostless", "{prefix: /hostless/, service: svc}", "app: x")
            + Labelled("both", "{prefix: /both/, service: svc, hostname: b.com}", "app: x")
            + Labelled("other", "{prefix: /other/, service: svc, hostname: b.com}", "app: y")
            + Labelled("regex", "{prefix: /regex/, service: svc, host: '^b.*$', host_regex: true}", "app: x"));
        Prefixes(compiled, "a.com").ShouldBe(["/regex/", "/star/", "/a/"], ignoreOrder: true);
        Prefixes(compiled, "b.com").ShouldBe(["/hostless/", "/regex/", "/both/"], ignoreOrder: true);
    }

    [Fact]
    public void LooseSelectors_NeedOneLabelOrTheHost()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet()
            + Compiled.Host("h", "{hostname: b.com, mappingSelector: {matchLabels: {app: x, tier: y}}, requestPolicy: {insecure: {action: Route}}}")
            + Compiled.Mapping("host", "{prefix: /host/, service: svc, hostname: b.com}")
            + Labelled("one", "{prefix: /one/, service: svc, hostname: c.com}", "app: x")
            + Compiled.Mapping("none", "{prefix: /none/, service: svc, hostname: c.com}"),
            CompilerOptions.Default with { StrictLabelSelectors = false });
        Prefixes(compiled, "b.com").ShouldBe(["/host/", "/one/"], ignoreOrder: true);
    }

    [Fact]
    public void Hosts_WithTheSameMappings_ShareAVirtualHost()
    {
        var hosts = string.Concat(
            Enumerable.Range(0, 100).Select(i => Compiled.Host($"h{i}", $"{{hostname: h{i}.com, requestPolicy: {{insecure: {{action: Route}}}}}}")));
        var mappings = string.Concat(Enumerable.Range(0, 50).Select(i => Compiled.Mapping($"m{i}", $"{{prefix: /p{i}/, service: svc, hostname: '*'}}")));
        var compiled = Compiled.From(Compiled.Listener("a") + Compiled.Listener("b", 8443) + Compiled.Quiet() + hosts + mappings);
        var routes = compiled.Snapshot.RouteConfigurations.Values.Single().Message;
        routes.VirtualHosts.Single().Domains.Count.ShouldBe(100);
        routes.VirtualHosts.Single().Routes.Count.ShouldBe(50);
        compiled.Manager("a", "http").Rds.RouteConfigName.ShouldBe(compiled.Manager("b", "http").Rds.RouteConfigName);
    }

    [Theory]
    [InlineData("XFP", "Redirect", new[] { "/x/* https -> cluster_svc_default", "/x/* -> to https" })]
    [InlineData("XFP", "Route", new[] { "/x/* -> cluster_svc_default" })]
    [InlineData("XFP", "Reject", new[] { "/x/* https -> cluster_svc_default", "/x/* -> 400" })]
    [InlineData("SECURE", "Reject", new[] { "/x/* -> cluster_svc_default" })]
    [InlineData("INSECURE", "Redirect", new[] { "/x/* -> to https" })]
    public void SecurityModelAndInsecureAction_DecideWhatIsRouted(string model, string action, string[] expected)
    {
        var compiled = Compiled.From(
            Compiled.Listener(model: model) + Compiled.Quiet() + Compiled.Host("h", $"{{hostname: a.com, requestPolicy: {{insecure: {{action: {action}}}}}}}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}"));
        compiled.VirtualHosts("l", "http")["a.com"].Routes.Select(Compiled.Show).ShouldBe(expected);
    }

    [Fact]
    public void Reject_With404AskedFor_IsEmissarys()
    {
        var manifests = Compiled.Quiet() + Compiled.Host("h", "{hostname: a.com, requestPolicy: {insecure: {action: Reject}}}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}");
        var options = CompilerOptions.Default with { InsecureRejectStatus = 404 };
        Compiled.From(Compiled.Listener() + manifests, options).VirtualHosts("l", "http")["a.com"].Routes.Select(Compiled.Show)
            .ShouldBe(["/x/* https -> cluster_svc_default"]);
    }

    [Fact]
    public void RejectingHost_OnAListenerWhereAllIsInsecure_IsLeftToTheWiderHost()
    {
        var compiled = Compiled.From(
            Compiled.Listener(model: "INSECURE") + Compiled.Quiet() + Compiled.Host("narrow", "{hostname: a.com, requestPolicy: {insecure: {action: Reject}}}")
            + Compiled.Host("wide", "{hostname: '*', requestPolicy: {insecure: {action: Route}}}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}"));

        compiled.VirtualHosts("l", "http").Keys.ShouldBe(["*"]);
        compiled.Result.Findings.ShouldContain(finding => finding.Code == FindingCodes.HostLeftOut && finding.Resource!.Value.Name == "narrow");
    }

    [Fact]
    public void RejectedRequest_IsNotShownToTheAuthorisationService()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Host("h", "{hostname: a.com, requestPolicy: {insecure: {action: Reject}}}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}") + Compiled.Resource("AuthService", "auth", "{auth_service: auth}"));

        var rejected = compiled.VirtualHosts("l", "http")["a.com"].Routes.Single(route => route.DirectResponse is not null);
        rejected.TypedPerFilterConfig["envoy.filters.http.ext_authz"].Unpack<Envoy.Extensions.Filters.Http.ExtAuthz.V3.ExtAuthzPerRoute>().Disabled
            .ShouldBeTrue();
    }

    [Fact]
    public void ChangedMapping_TouchesItsVirtualHostOnly()
    {
        string Manifests(string service) => Compiled.Listener()
            + Compiled.Quiet() + Compiled.Host("a", "{hostname: a.com}") + Compiled.Host("b", "{hostname: b.com}")
            + Compiled.Mapping("m", $"{{prefix: /x/, service: {service}, hostname: a.com}}")
            + Compiled.Mapping("n", "{prefix: /x/, service: svc, hostname: b.com}");
        var compiler = new SnapshotCompiler(CompilerOptions.Default);
        var before = Compiled.From(Manifests("one"), compiler: compiler);
        var after = Compiled.From(Manifests("two"), compiler: compiler);
        after.Snapshot.Listeners.ShouldBeSameAs(before.Snapshot.Listeners);
        var (first, second) = (before.Snapshot.RouteConfigurations.Values.Single(), after.Snapshot.RouteConfigurations.Values.Single());
        second.Name.ShouldBe(first.Name);
        second.Version.ShouldNotBe(first.Version);
        var fresh = Compiled.From(Manifests("two"));
        fresh.Snapshot.RouteConfigurations.Values.Single().Version.ShouldBe(second.Version);
        fresh.Snapshot.RouteConfigurations.Values.Single().Message.ShouldBe(second.Message);
    }
}
