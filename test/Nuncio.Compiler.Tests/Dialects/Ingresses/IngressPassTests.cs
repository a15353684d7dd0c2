using Nuncio.Testing;

namespace Nuncio.Compiler.Tests.Dialects.Ingresses;

public sealed class IngressPassTests : IDisposable
{
    private readonly TestCertificate _certificate = TestCertificate.Create(["i.example.com"]);

    public void Dispose() => _certificate.Dispose();

    private static string Ingress(string spec, string metadata = "annotations: {kubernetes.io/ingress.class: Ambassador}") =>
        $"---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: ing, namespace: default, {metadata}}}\nspec: {spec}\n";

    private const string Backend = "{service: {name: alpha, port: {number: 80}}}";

    private static Compiled From(string manifests) => Compiled.From(Compiled.Listener() + Compiled.Quiet() + manifests);

    [Fact]
    public void Path_BecomesAMappingThatStripsItsPrefix()
    {
        var compiled = From(Ingress($"{{rules: [{{host: i.example.com, http: {{paths: [{{path: /a/, pathType: Prefix, backend: {Backend}}}]}}}}]}}"));
        var route = compiled.VirtualHosts("l", "http")["*"].Routes.Single();
        route.Match.Prefix.ShouldBe("/a/");
        route.Match.Headers.Single().StringMatch.Exact.ShouldBe("i.example.com");
        route.Route_.PrefixRewrite.ShouldBe("/");
        route.Route_.Cluster.ShouldBe("cluster_alpha_default_80_default");
    }

    [Fact]
    public void Exact_ComesBeforePrefix()
    {
        var compiled = From(Ingress(
            $"{{rules: [{{http: {{paths: [{{path: /longer/, pathType: Prefix, backend: {Backend}}}, {{path: /l, pathType: Exact, backend: {Backend}}}]}}}}]}}"));
        compiled.VirtualHosts("l", "http")["*"].Routes.Select(route => route.Match.Path + route.Match.Prefix).ShouldBe(["/l", "/longer/"]);
    }

    [Fact]
    public void Tls_BecomesAHostThatTakesTheIngressMappingsOnly()
    {
        var compiled = From(
            Compiled.Secret("cert", _certificate) + Compiled.Mapping("other", "{prefix: /other/, service: svc, hostname: '*'}")
            + Ingress($"{{tls: [{{hosts: [i.example.com], secretName: cert}}], rules: [{{host: i.example.com, http: {{paths: [{{path: /a/, pathType: Prefix, backend: {Backend}}}]}}}}]}}"));
        compiled.Chains("l").ShouldBe(["http", "https/i.example.com"]);
        compiled.VirtualHosts("l", "https/i.example.com")["i.example.com"].Routes.Select(route => route.Match.Prefix).ShouldBe(["/a/"]);
    }

    [Fact]
    public void NamedPort_IsFoundInTheService()
    {
        var compiled = From(
            "---\napiVersion: v1\nkind: Service\nmetadata: {name: alpha, namespace: default}\nspec: {ports: [{name: web, port: 8081}]}\n"
            + Ingress("{defaultBackend: {service: {name: alpha, port: {name: web}}}}"));
        compiled.Snapshot.Clusters.Keys.ShouldBe(["cluster_alpha_default_8081_default"]);
        var unknown = From(Ingress("{defaultBackend: {service: {name: alpha, port: {name: nope}}}}"));
        unknown.Codes.ShouldContain(FindingCodes.IngressPortUnknown);
    }

    [Theory]
    [InlineData("annotations: {kubernetes.io/ingress.class: nginx}")]
    [InlineData("annotations: {kubernetes.io/ingress.class: ambassador, getambassador.io/ambassador-id: other}")]
    public void ForeignIngress_IsLeftAlone(string metadata)
    {
        var compiled = From(Ingress($"{{defaultBackend: {Backend}}}", metadata));
        compiled.VirtualHosts("l", "http")["*"].Routes.ShouldBeEmpty();
    }

    [Fact]
    public void IngressClass_OfOurController_IsTaken()
    {
        var compiled = From(
            "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: mine}\nspec: {controller: getambassador.io/ingress-controller}\n"
            + Ingress($"{{ingressClassName: mine, defaultBackend: {Backend}}}", "labels: {}"));
        compiled.VirtualHosts("l", "http")["*"].Routes.ShouldHaveSingleItem();
    }
}
