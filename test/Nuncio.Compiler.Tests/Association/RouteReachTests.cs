namespace Nuncio.Compiler.Tests.Association;

public class RouteReachTests
{
    [Fact]
    public void Mapping_ThatFitsNoHost_IsAFinding()
    {
        var result = Compile(
            Given.Mapping("lost", with: s => s with { Hostname = "b.example.com" }), Given.Mapping("found", with: s => s with { Hostname = "a.example.com" }));
        var finding = result.Findings.Single();
        finding.Code.ShouldBe(FindingCodes.MappingWithoutHost);
        finding.Resource!.Value.Name.ShouldBe("lost");
    }

    [Fact]
    public void Mapping_BehindAHigherPrecedence_IsAFinding()
    {
        var result = Compile(
            Given.Mapping("all", "/", with: s => s with { Precedence = 1 }),
            Given.Mapping("hidden", "/x/"),
            Given.Mapping("seen", "/x/", with: s => s with { Precedence = 2 }));
        var finding = result.Findings.Single();
        finding.Code.ShouldBe(FindingCodes.RouteShadowed);
        finding.Resource!.Value.Name.ShouldBe("hidden");
    }

    [Fact]
    public void Mapping_OfAHostThatComesLater_IsNoFindingAnyMore()
    {
        var compiler = new SnapshotCompiler(CompilerOptions.Default);
        var snapshot = Snapshot(Given.Mapping("late", with: s => s with { Hostname = "b.example.com" }));
        compiler.Compile(snapshot).Findings.Single().Code.ShouldBe(FindingCodes.MappingWithoutHost);
        compiler.Compile(snapshot with { Hosts = [.. snapshot.Hosts, Host("b.example.com")] }).Findings.ShouldBeEmpty();
        compiler.Compile(snapshot).Findings.Single().Code.ShouldBe(FindingCodes.MappingWithoutHost);
    }

    private static CompilationResult Compile(params MappingResource[] mappings) => new SnapshotCompiler(CompilerOptions.Default).Compile(Snapshot(mappings));

    private static ResourceSnapshot Snapshot(params MappingResource[] mappings) => Given.Snapshot(mappings) with
    {
        Hosts = [Host("a.example.com")],
        Listeners =
        [
            new ListenerResource
            {
                Key = new ResourceKey(ListenerResource.KindName, "default", "http"),
                Spec = new ListenerSpec
                {
                    Port = 8080,
                    Protocol = ListenerProtocol.Http,
                    SecurityModel = SecurityModel.Xfp,
                    HostBinding = new HostBinding(NamespaceSelection.All, null),
                },
            },
        ],
    };

    private static HostResource Host(string name) =>
        new() { Key = new ResourceKey(HostResource.KindName, "default", name), Spec = new HostSpec { Hostname = name, InsecureAction = InsecureAction.Route } };
}
