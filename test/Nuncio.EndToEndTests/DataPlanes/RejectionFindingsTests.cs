using Nuncio.Compiler;
using Nuncio.Host;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;
using Nuncio.Resources.Snapshots;
using Nuncio.Sources;
using Nuncio.Xds;

namespace Nuncio.EndToEndTests.DataPlanes;

public class RejectionFindingsTests
{
    private const string Manifest = """
        apiVersion: getambassador.io/v3alpha1
        kind: Listener
        metadata: { name: one, namespace: default }
        spec:
          port: 8080
          protocol: HTTP
          securityModel: XFP
          hostBinding: { namespace: { from: ALL } }
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Listener
        metadata: { name: two, namespace: default }
        spec: { port: 8081, protocol: HTTP, securityModel: SECURE, hostBinding: { namespace: { from: ALL } } }
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata: { name: m, namespace: default }
        spec:
          hostname: "*"
          prefix: /m/
          service: "127.0.0.1:9"
          add_request_headers:
            X-Odd: { value: "%WORKER_ID%" }
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Module
        metadata: { name: ambassador, namespace: default }
        spec:
          config:
            envoy_log_format: "%WORKER_ID%"
        """;

    private static readonly ResourceSnapshot Resources =
        SnapshotAssembler.Assemble(1, [new ManifestReader().Read("a.yaml", Manifest)], [], SnapshotOptions.Default);

    private static readonly CompilationResult Compilation = new SnapshotCompiler(CompilerOptions.Default).Compile(Resources);

    [Fact]
    public void Listener_WhoseAddressCannotBeBound_IsAFindingAtItsPort()
    {
        var finding = Of(Listener("one", "address", "cannot bind"), Listener("one", "address", "cannot bind")).ShouldHaveSingleItem();

        finding.ShouldBe(new Finding(
            FindingCodes.RefusedByDataPlane, FindingLevel.Error, "cannot bind", new ResourceKey("Listener", "default", "one"), "spec.port",
            new SourceLocation("a.yaml", 5, 3)));
    }

    [Fact]
    public void Listeners_RefusedForTheSameReason_AreAFindingEach() =>
        Of(Listener("one", "", "no"), Listener("two", "", "no")).Select(finding => finding.Resource!.Value.Name).ShouldBe(["one", "two"]);

    [Fact]
    public void AccessLog_OfEveryFilterChain_IsOneFindingOnTheModule()
    {
        const string Log = "filter_chains[0].filters[0].typed_config.access_log[0].typed_config";
        var finding = Of(
            Listener("one", Log, "absent", partial: true), Listener("two", Log, "absent", partial: true),
            Listener("two", Log.Replace("chains[0]", "chains[1]", StringComparison.Ordinal), "absent", partial: true)).ShouldHaveSingleItem();

        finding.Code.ShouldBe(FindingCodes.FieldWithoutEffect);
        finding.FieldPath.ShouldBe("spec.config.envoy_log_format");
        finding.Location.ShouldBe(new SourceLocation("a.yaml", 30, 5));
    }

    [Fact]
    public void Header_InManyRouteConfigurations_IsOneFindingWhereItIsWritten()
    {
        var rejections =
            from routes in Compilation.Snapshot.RouteConfigurations.Values
            from host in routes.Message.VirtualHosts.Select((message, index) => (message.Routes, Index: index))
            from route in host.Routes.Select((message, index) => (Message: message, Index: index))
            from header in route.Message.RequestHeadersToAdd.Select((message, index) => (message.Header.Key, Index: index))
            where header.Key.Equals("x-odd", StringComparison.OrdinalIgnoreCase)
            select new XdsRejection(
                "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", routes.Name,
                $"virtual_hosts[{host.Index}].routes[{route.Index}].request_headers_to_add[{header.Index}].header.value", "not known");
        var all = rejections.ToArray();

        all.Length.ShouldBeGreaterThan(1);
        var finding = Of(all).ShouldHaveSingleItem();
        finding.Resource.ShouldBe(new ResourceKey("Mapping", "default", "m"));
        finding.Location.ShouldBe(new SourceLocation("a.yaml", 23, 5));
    }

    [Fact]
    public void Message_OfNoResourceThatIsKnown_NamesWhatItIs() => Of(
        new XdsRejection("type.googleapis.com/envoy.config.cluster.v3.Cluster", "a", "lb_policy", "no"),
        new XdsRejection("type.googleapis.com/envoy.config.cluster.v3.Cluster", "b", "lb_policy", "no"))
        .Select(finding => (finding.Resource, finding.Message)).ShouldBe([(null, "no (Cluster a, lb_policy)"), (null, "no (Cluster b, lb_policy)")]);

    private static IEnumerable<Finding> Of(params XdsRejection[] rejections) => RejectionFindings.Of(new XdsAck(1, [.. rejections]), Compilation, Resources);

    private static XdsRejection Listener(string name, string path, string message, bool partial = false) =>
        new("type.googleapis.com/envoy.config.listener.v3.Listener", name, path, message, partial);
}
