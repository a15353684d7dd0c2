namespace Nuncio.Compiler.Tests.Validation;

/// <summary>Values for which a data plane would refuse more than the Mapping they stand in: each was found by changing manifests at random.</summary>
public class ProxyRefusalTests
{
    [Theory]
    [InlineData("prefix: /x/, service: svc, regex_rewrite: {pattern: 'a(?:b)', substitution: 'x\\1'}")]
    [InlineData("prefix: /x/, service: svc, regex_rewrite: {pattern: '(a)(?P<n>b)', substitution: '\\1\\2\\3'}")]
    public void RegexRewrite_ThatNamesAGroupThatIsNotThere_IsAFindingAndReplacesNothing(string spec)
    {
        var compiled = Compile(spec);
        compiled.Codes.ShouldContain(FindingCodes.InvalidRegex);
        Route(compiled).Route_.RegexRewrite.Substitution.ShouldBe(@"\0");
    }

    [Fact]
    public void RegexRedirect_ThatNamesAGroupThatIsNotThere_IsAFindingAndReplacesNothing()
    {
        var compiled = Compile("prefix: /x/, service: svc, host_redirect: true, regex_redirect: {pattern: a, substitution: 'x\\1'}");
        compiled.Codes.ShouldContain(FindingCodes.InvalidRegex);
        Route(compiled).Redirect.RegexRewrite.Substitution.ShouldBe(@"\0");
    }

    [Fact]
    public void RegexRewrite_ThatNamesItsGroups_IsTakenAsItStands()
    {
        var compiled = Compile("prefix: /x/, service: svc, regex_rewrite: {pattern: '(a)(?P<n>b)', substitution: '\\2\\1\\0\\\\3'}");
        compiled.Codes.ShouldNotContain(FindingCodes.InvalidRegex);
        Route(compiled).Route_.RegexRewrite.Substitution.ShouldBe(@"\2\1\0\\3");
    }

    [Theory]
    [InlineData("healthz")]
    [InlineData("")]
    public void HealthCheck_WithoutAPath_IsAFindingAndLeftOut(string path)
    {
        var compiled = Compile($"prefix: /x/, service: svc, resolver: kubernetes-endpoint, health_checks: [{{health_check: {{http: {{path: '{path}'}}}}}}]");
        compiled.Codes.ShouldContain(FindingCodes.InvalidFieldValue);
        compiled.Snapshot.Clusters.Values.ShouldAllBe(cluster => cluster.Message.HealthChecks.Count == 0);
    }

    private static Compiled Compile(string spec) => Compiled.From(
        Compiled.Listener(protocol: "HTTP", model: "SECURE") + Compiled.Quiet() + Compiled.Resource("KubernetesEndpointResolver", "kubernetes-endpoint", "{}")
        + Compiled.Mapping("m", "{hostname: '*', " + spec + "}"));

    private static RouteV3.Route Route(Compiled compiled) =>
        compiled.Snapshot.RouteConfigurations.Values.SelectMany(routes => routes.Message.VirtualHosts).SelectMany(host => host.Routes)
            .First(route => route.Match.Prefix == "/x/");
}
