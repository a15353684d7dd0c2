using System.Globalization;

namespace Nuncio.Compiler.Tests.Resolving;

/// <summary>Which endpoints of a Service a Mapping reaches.</summary>
public class EndpointTests
{
    private const string One = "addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}]";

    [Theory]
    // The port by its number, by its name, by the name that the Service targets.
    [InlineData("{port: 80, targetPort: 8080}", "svc", "{" + One + ", ports: [{port: 8080}]}", "10.0.0.1:8080 10.0.0.2:8080")]
    [InlineData("{port: 80}", "svc", "{" + One + ", ports: [{port: 80}]}", "10.0.0.1:80 10.0.0.2:80")]
    [InlineData("{name: http, port: 80, targetPort: web}", "svc:80", "{" + One + ", ports: [{name: http, port: 9090}]}", "10.0.0.1:9090 10.0.0.2:9090")]
    [InlineData("{name: http, port: 80, targetPort: web}", "svc:80", "{" + One + ", ports: [{name: web, port: 9090}]}", "10.0.0.1:9090 10.0.0.2:9090")]
    // Several ports: each its own, and never another's.
    [InlineData("{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}", "svc:443",
        "{" + One + ", ports: [{name: http, port: 8080}, {name: https, port: 8443}]}", "10.0.0.1:8443 10.0.0.2:8443")]
    [InlineData("{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}", "svc:443", "{"
        + One + ", ports: [{name: http, port: 8080}]}", "")]
    [InlineData("{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}", "https://svc",
        "{" + One + ", ports: [{name: http, port: 8080}, {name: https, port: 8443}]}", "10.0.0.1:8443 10.0.0.2:8443")]
    // The only port of the only one of the Service, whatever its name.
    [InlineData("{name: http, port: 80, targetPort: 8080}", "svc", "{" + One + ", ports: [{port: 9999}]}", "10.0.0.1:9999 10.0.0.2:9999")]
    [InlineData("{port: 8000, targetPort: 8080}", "svc", "{" + One + ", ports: [{port: 8080}]}", "")]
    // What is not ready is left out; subsets are put together, each with its own port number.
    [InlineData(
        "{port: 80, targetPort: 8080}", "svc", "{addresses: [{ip: 10.0.0.1}], notReadyAddresses: [{ip: 10.0.0.9}], ports: [{port: 8080}]}", "10.0.0.1:8080")]
    [InlineData("{name: http, port: 80, targetPort: web}", "svc",
        "{addresses: [{ip: 10.0.0.1}], ports: [{name: http, port: 8080}]}, {addresses: [{ip: 10.0.0.2}], ports: [{name: http, port: 9090}]}",
        "10.0.0.1:8080 10.0.0.2:9090")]
    [InlineData("{port: 80, targetPort: 8080}", "svc", "{notReadyAddresses: [{ip: 10.0.0.9}], ports: [{port: 8080}]}", "")]
    [InlineData("{port: 80, targetPort: 8080, protocol: UDP}", "svc", "{" + One + ", ports: [{port: 8080, protocol: UDP}]}", "")]
    // Names with more labels mean the same Service.
    [InlineData("{port: 80, targetPort: 8080}", "svc.default", "{" + One + ", ports: [{port: 8080}]}", "10.0.0.1:8080 10.0.0.2:8080")]
    [InlineData("{port: 80, targetPort: 8080}", "svc.default.svc.cluster.local", "{" + One + ", ports: [{port: 8080}]}", "10.0.0.1:8080 10.0.0.2:8080")]
    public void EndpointResolver_ReachesThePortThatTheServiceMeans(string ports, string service, string subsets, string expected) =>
        Addresses(Input(ports, service, subsets)).ShouldBe(expected);

    [Fact]
    public void EndpointResolver_OfAnotherNamespace_DoesNotReachASimilarService() =>
        Addresses(Input("{port: 80, targetPort: 8080}", "svc.other", "{" + One + ", ports: [{port: 8080}]}")).ShouldBe("");

    [Fact]
    public void Endpoints_WithoutService_AreReachedByTheirOwnPort() =>
        Addresses(Mapping("svc:8080") + Endpoints("{" + One + ", ports: [{port: 8080}]}")).ShouldBe("10.0.0.1:8080 10.0.0.2:8080");

    [Theory]
    [InlineData("round_robin", "RoundRobin")]
    [InlineData("least_request", "LeastRequest")]
    [InlineData("ring_hash, header: x-user", "RingHash")]
    [InlineData("maglev, source_ip: true", "Maglev")]
    public void LoadBalancer_OfAMappingOrTheModule_IsTheClustersOverItsEndpoints(string policy, string expected)
    {
        const string Subsets = "{" + One + ", ports: [{port: 8080}]}";
        var ofMapping = Compiled.From(Frame + Service("{port: 80, targetPort: 8080}") + Endpoints(Subsets)
            + Compiled.Mapping("m", $"{{prefix: /m/, hostname: '*', service: svc, resolver: endpoint, load_balancer: {{policy: {policy}}}}}"));
        var ofModule = Compiled.From(Frame + Service("{port: 80, targetPort: 8080}") + Endpoints(Subsets)
            + Compiled.Resource("Module", "ambassador", $"{{config: {{resolver: endpoint, load_balancer: {{policy: {policy}}}}}}}")
            + Compiled.Mapping("m", "{prefix: /m/, hostname: '*', service: svc}"));

        foreach (var compiled in new[] { ofMapping, ofModule })
        {
            compiled.Snapshot.Clusters.Values.Single(
                cluster => cluster.Message.Name.StartsWith("cluster_svc", StringComparison.Ordinal)).Message.LbPolicy.ToString().ShouldBe(expected);
            Addresses(compiled).ShouldBe("10.0.0.1:8080 10.0.0.2:8080");
        }
    }

    [Fact]
    public void EndpointResolver_OfAnAddress_IsTheAddress() =>
        Compiled.From(Frame + Mapping("10.1.2.3:4567")).Snapshot.Clusters.Values.Select(cluster => cluster.Message)
            .SelectMany(cluster => cluster.LoadAssignment?.Endpoints ?? []).SelectMany(locality => locality.LbEndpoints)
            .Select(endpoint => endpoint.Endpoint.Address.SocketAddress).ShouldContain(address => address.Address == "10.1.2.3" && address.PortValue == 4567);

    private static string Frame => Compiled.Listener() + Compiled.Host("h", "{hostname: '*', requestPolicy: {insecure: {action: Route}}}");

    private static string Input(string ports, string service, string subsets) => Mapping(service) + Service(ports) + Endpoints(subsets);

    private static string Mapping(string service) => Compiled.Mapping("m", $"{{prefix: /m/, hostname: '*', service: '{service}', resolver: endpoint}}");

    private static string Service(string ports) =>
        $"---\napiVersion: v1\nkind: Service\nmetadata: {{name: svc, namespace: default}}\nspec: {{ports: [{ports}]}}\n";

    private static string Endpoints(string subsets) =>
        $"---\napiVersion: v1\nkind: Endpoints\nmetadata: {{name: svc, namespace: default}}\nsubsets: [{subsets}]\n";

    private static string Addresses(string input) => Addresses(Compiled.From(Frame + input));

    private static string Addresses(Compiled compiled) => string.Join(' ', compiled.Snapshot.Endpoints.Values
        .SelectMany(assignment => assignment.Message.Endpoints).SelectMany(locality => locality.LbEndpoints).Select(
            endpoint => endpoint.Endpoint.Address.SocketAddress)
        .Select(address => string.Create(CultureInfo.InvariantCulture, $"{address.Address}:{address.PortValue}")).Order(StringComparer.Ordinal));
}
