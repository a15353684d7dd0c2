namespace Nuncio.Compiler.Tests.Dialects.Mappings;

public class MappingPassTests
{
    [Fact]
    public void Groups_ByRank_LongerPrefixAndHigherPrecedenceFirst()
    {
        var routes = Routes(Given.Snapshot(
            Given.Mapping("a", "/a/"),
            Given.Mapping("b", "/a/longer/"),
            Given.Mapping("c", "/", with: s => s with { Precedence = 1 }),
            Given.Mapping("d", "/a/", with: s => s with { Method = "POST" })));
        routes.Select(r => r.Name).ShouldBe(["Mapping/default/c", "Mapping/default/b", "Mapping/default/d", "Mapping/default/a"]);
    }

    [Fact]
    public void Groups_ExactAndPrefixOfOnePath_BothServeExactFirst()
    {
        var routes = Routes(Given.Snapshot(
            Given.Mapping("a", "/a", "one"), Given.Mapping("b", "/a", "two", with: s => s with { PrefixExact = true })));
        routes.Select(r => r.Match.PathSpecifierCase)
            .ShouldBe([RouteV3.RouteMatch.PathSpecifierOneofCase.Path, RouteV3.RouteMatch.PathSpecifierOneofCase.Prefix]);
    }

    [Fact]
    public void Host_WithAStarBesideHostname_IsRefused()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", "/a/", with: s => s with { Host = "*.example.com", Hostname = "*" })));
        context.Findings.ToImmutable().Select(f => f.Code).ShouldContain(FindingCodes.InvalidFieldValue);
        MappingHalf.Routes(context).ShouldBeEmpty();
    }

    [Fact]
    public void Weights_BelowHundred_LeaveTheRestToLaterGroups()
    {
        var routes = Routes(Given.Snapshot(Weighted("a", 20), Weighted("b", 30)));
        routes.Select(Threshold).ShouldBe([20u, 50u]);
    }

    [Fact]
    public void Weights_SomeWithout_ShareTheRest()
    {
        var routes = Routes(Given.Snapshot(Weighted("a", 10), Weighted("b", null), Weighted("c", null), Weighted("d", null)));
        routes.Select(Threshold).ShouldBe([10u, 40u, 70u, 100u]);
    }

    [Fact]
    public void Weights_OfASingleMapping_DoNotCount() => Routes(Given.Snapshot(Weighted("a", 5))).Select(Threshold).ShouldBe([100u]);

    [Fact]
    public void Weights_AboveHundred_AreAFinding()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Weighted("a", 80), Weighted("b", 70)));
        context.Findings.ToImmutable().Select(f => f.Code).ShouldContain(FindingCodes.WeightsAboveHundred);
        MappingHalf.Routes(context).Select(Threshold).ShouldBe([80u, 100u]);
    }

    [Fact]
    public void Group_MemberThatDisagrees_IsLeftOut()
    {
        var context = new MappingHalf().Run(Given.Snapshot(
            Weighted("a", 50), Weighted("b", 50) with { Spec = Weighted("b", 50).Spec with { BypassAuth = true } }));
        context.Findings.ToImmutable().Single().Code.ShouldBe(FindingCodes.GroupMismatch);
        MappingHalf.Routes(context).Length.ShouldBe(1);
    }

    [Fact]
    public void Shadow_BesideAMapping_BecomesAMirror()
    {
        var context = new MappingHalf().Run(
            Given.Snapshot(Given.Mapping("a"), Given.Mapping("b", service: "copy", with: s => s with { Shadow = true, Weight = 10 })));
        var route = MappingHalf.Routes(context).Single();
        route.Route_.RequestMirrorPolicies.Single().Cluster.ShouldBe("cluster_shadow_copy_default");
        route.Route_.RequestMirrorPolicies.Single().RuntimeFraction.DefaultValue.Numerator.ShouldBe(10u);
    }

    [Fact]
    public void Shadow_Alone_IsAFinding()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", with: s => s with { Shadow = true })));
        context.Groups.ShouldBeEmpty();
        context.Findings.ToImmutable().Single().Code.ShouldBe(FindingCodes.ShadowAlone);
    }

    [Theory]
    [InlineData("other\0", null, null)]
    [InlineData("other", "/a\r\nx: y", null)]
    [InlineData("other", null, "/a\nb")]
    public void Redirect_WithALineBreakOrNul_LeavesTheMappingOut(string service, string? path, string? prefix)
    {
        var context = new MappingHalf().Run(Given.Snapshot(
            Given.Mapping("a", service: service, with: s => s with { HostRedirect = true, PathRedirect = path, PrefixRedirect = prefix }),
            Given.Mapping("b", prefix: "/b/")));
        MappingHalf.Routes(context).Single().Match.Prefix.ShouldBe("/b/");
        context.Findings.ToImmutable().ShouldContain(finding => finding.Code == FindingCodes.InvalidFieldValue && finding.Resource!.Value.Name == "a");
    }

    [Fact]
    public void Redirect_OfSeveralKinds_TakesThePath()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", service: "other:8080", @namespace: "ns", with: s => s with
        {
            HostRedirect = true,
            PathRedirect = "/p",
            PrefixRedirect = "/q",
            RedirectResponseCode = 308,
        })));
        var redirect = MappingHalf.Routes(context).Single().Redirect;
        redirect.HostRedirect.ShouldBe("other.ns:8080");
        redirect.PathRedirect.ShouldBe("/p");
        redirect.ResponseCode.ShouldBe(RouteV3.RedirectAction.Types.RedirectResponseCode.PermanentRedirect);
        context.Findings.ToImmutable().Single().Code.ShouldBe(FindingCodes.MutuallyExclusive);
        context.EmittedClusters.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(SecurityModel.Secure, InsecureAction.Redirect, new[] { "route" })]
    [InlineData(SecurityModel.Insecure, InsecureAction.Redirect, new[] { "redirect" })]
    [InlineData(SecurityModel.Insecure, InsecureAction.Route, new[] { "route" })]
    [InlineData(SecurityModel.Insecure, InsecureAction.Reject, new[] { "400" })]
    [InlineData(SecurityModel.Xfp, InsecureAction.Redirect, new[] { "route if https", "redirect" })]
    [InlineData(SecurityModel.Xfp, InsecureAction.Reject, new[] { "route if https", "400" })]
    [InlineData(SecurityModel.Xfp, InsecureAction.Route, new[] { "route" })]
    public void Emit_SecurityModelAndAction_GiveTheVariants(SecurityModel model, InsecureAction action, string[] expected)
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a")));
        MappingHalf.Routes(context, model, action).Select(Describe).ShouldBe(expected);
    }

    [Fact]
    public void Emit_AcmeChallenge_IsRoutedEvenInsecure()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", "/.well-known/acme-challenge/")));
        MappingHalf.Routes(context, SecurityModel.Insecure, InsecureAction.Reject).Select(Describe).ShouldBe(["route"]);
    }

    [Theory]
    [InlineData("invalid-regex", "prefix_regex")]
    [InlineData("invalid-field-value", "host")]
    [InlineData("invalid-header", "header")]
    [InlineData("invalid-field-value", "retry")]
    [InlineData("not-supported", "outlier")]
    [InlineData("resolver-not-found", "resolver")]
    [InlineData("invalid-field-value", "load_balancer")]
    public void Read_WhatCannotBeUsed_LeavesTheMappingOutAndTheOthersIn(string code, string what)
    {
        var bad = Given.Mapping("bad", "/bad/", with: s => what switch
        {
            "prefix_regex" => s with { PrefixRegex = true, Prefix = "(?=x)" },
            "host" => s with { Hostname = null, Host = "*.example.com" },
            "header" => s with { Headers = ValueMap.Of(("a b", "c")) },
            "retry" => s with { RetryPolicy = new RetryPolicyConfig { RetryOn = "sometimes" } },
            "outlier" => s with { OutlierDetection = "x" },
            "resolver" => s with { Resolver = "nobody" },
            _ => s with { LoadBalancer = new LoadBalancerConfig { Policy = LoadBalancerPolicy.RoundRobin } },
        });
        var context = new MappingHalf().Run(Given.Snapshot(bad, Given.Mapping("good")));
        context.Groups.Single().First.Key.Name.ShouldBe("good");
        var finding = context.Findings.ToImmutable().Single();
        finding.Code.ShouldBe(code);
        finding.Resource!.Value.Name.ShouldBe("bad");
    }

    [Fact]
    public void Read_NegativeTimeout_IsAFindingAndTheDefaultServes()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", with: s => s with { TimeoutMs = -1 })));
        context.Findings.ToImmutable().Single().FieldPath.ShouldBe("spec.timeout_ms");
        MappingHalf.Routes(context).Single().Route_.Timeout.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void Read_HostRewriteAndAutoHostRewrite_KeepsTheWritten()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", with: s => s with { HostRewrite = "x", AutoHostRewrite = true })));
        var action = MappingHalf.Routes(context).Single().Route_;
        action.HostRewriteSpecifierCase.ShouldBe(RouteV3.RouteAction.HostRewriteSpecifierOneofCase.HostRewriteLiteral);
        context.Findings.ToImmutable().Single().Code.ShouldBe(FindingCodes.MutuallyExclusive);
    }

    [Fact]
    public void Compile_UnchangedMappings_KeepTheirGroupsRoutesAndClusters()
    {
        var half = new MappingHalf();
        var kept = Given.Mapping("kept", "/kept/");
        var first = half.Run(Given.Snapshot(kept, Given.Mapping("changed", "/changed/")) with { Modules = [TheModule] });
        var second = half.Run(Given.Snapshot(kept, Given.Mapping("changed", "/changed/", "elsewhere")) with { Modules = [TheModule] });
        second.Groups.Single(g => g.First.Key.Name == "kept").ShouldBeSameAs(first.Groups.Single(g => g.First.Key.Name == "kept"));
        second.Groups.Single(g => g.First.Key.Name == "changed").ShouldNotBeSameAs(first.Groups.Single(g => g.First.Key.Name == "changed"));
        second.EmittedClusters["cluster_svc_default"].ShouldBeSameAs(first.EmittedClusters["cluster_svc_default"]);
    }

    [Fact]
    public void Compile_InAnotherOrderOrAfterSomethingElse_GivesTheSameRoutes()
    {
        MappingResource[] mappings = [Given.Mapping("a", "/1/"), Given.Mapping("b", "/2/"), Given.Mapping("c", "/1/", with: s => s with { Weight = 10 })];
        var fresh = Routes(Given.Snapshot(mappings));
        var half = new MappingHalf();
        half.Run(Given.Snapshot(Given.Mapping("z", "/2/"), mappings[0]));
        MappingHalf.Routes(half.Run(Given.Snapshot([.. mappings.Reverse()]))).ShouldBe(fresh);
    }

    private static ModuleResource TheModule { get; } = Given.Module(Given.Quiet);

    private static ImmutableArray<RouteV3.Route> Routes(ResourceSnapshot snapshot) => MappingHalf.Routes(new MappingHalf().Run(snapshot));

    private static MappingResource Weighted(string name, int? weight) => Given.Mapping(name, service: name, with: s => s with { Weight = weight });

    private static uint Threshold(RouteV3.Route route) => route.Match.RuntimeFraction?.DefaultValue.Numerator ?? 100;

    private static string Describe(RouteV3.Route route) =>
        (route.ActionCase switch
        {
            RouteV3.Route.ActionOneofCase.Route_ => "route",
            RouteV3.Route.ActionOneofCase.Redirect => "redirect",
            _ => $"{route.DirectResponse.Status}",
        })
        + (route.Match.Headers.Any(h => h.Name == "x-forwarded-proto") ? " if https" : "");

    [Fact]
    public void Mapping_WithAHostRegexThatIsNotThere_GoesWithEveryHost()
    {
        var context = new MappingHalf().Run(Given.Snapshot(
            Given.Mapping("regex", with: spec => spec with { Hostname = null, HostRegex = true }),
            Given.Mapping("none", "/y/", with: spec => spec with { Hostname = null })));

        context.Groups.Single(group => group.First.Prefix == "/x/").HostIsRegex.ShouldBeTrue();
    }
}
