namespace Nuncio.EndToEndTests.Features.Kubernetes;

[CommandLine(
    "--resolve", "ing-a.default=$(ing-a)", "--resolve", "ing-b.default=$(ing-b)", "--resolve", "ing-named.default:8081=$(ing-named)",
    "--resolve", "ing-default.default=$(ing-default)")]
[Manifest(Common.Everywhere)]
public class IngressTests(GatewayOf<IngressTests> group) : IClassFixture<GatewayOf<IngressTests>>
{
    [SkippableTheory, DataPlanes, Feature("K8S-01", "K8S-02")]
    [Manifest("""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: annotated, namespace: default, annotations: { kubernetes.io/ingress.class: ambassador } }
        spec: { rules: [{ http: { paths: [{ path: /annotated/, pathType: Prefix, backend: { service: { name: ing-a, port: { number: 80 } } } }] } }] }
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: other, namespace: default, annotations: { kubernetes.io/ingress.class: nginx } }
        spec: { rules: [{ http: { paths: [{ path: /other-class/, pathType: Prefix, backend: { service: { name: ing-a, port: { number: 80 } } } }] } }] }
        ---
        apiVersion: networking.k8s.io/v1
        kind: IngressClass
        metadata: { name: ours }
        spec: { controller: getambassador.io/ingress-controller }
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: classed, namespace: default }
        spec: { ingressClassName: ours, rules: [{ http: { paths: [{ path: /classed/, pathType: Prefix, backend: { service: { name: ing-a, port: { number: 80 } } } }] } }] }
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: unclassed, namespace: default }
        spec: { rules: [{ http: { paths: [{ path: /unclassed/, pathType: Prefix, backend: { service: { name: ing-a, port: { number: 80 } } } }] } }] }
        """)]
    public async Task Ingress_OfOurClass_RoutesAndOthersDoNot(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/annotated/x")).ShouldSee("/x");
        (await gateway.GetAsync("/classed/x")).ShouldSee("/x");
        (await gateway.GetAsync("/other-class/")).ShouldBeFrom("ing-default");
        (await gateway.GetAsync("/unclassed/")).ShouldBeFrom("ing-default");
    }

    [SkippableTheory, DataPlanes, Feature("K8S-03")]
    [Manifest("""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: paths, namespace: default, annotations: { kubernetes.io/ingress.class: ambassador } }
        spec:
          rules:
          - http:
              paths:
              - { path: /path, pathType: Prefix, backend: { service: { name: ing-a, port: { number: 80 } } } }
              - { path: /path, pathType: Exact, backend: { service: { name: ing-b, port: { number: 80 } } } }
        """)]
    public async Task Exact_OfTheSamePath_BeatsPrefix(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/path")).ShouldBeFrom("ing-b");
        (await gateway.GetAsync("/path/x")).ShouldBeFrom("ing-a");
    }

    [SkippableTheory, DataPlanes, Feature("K8S-04")]
    [Manifest("""
        Secret ingress-tls: $(pair:tls.ingress.example)
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: tls, namespace: default, annotations: { kubernetes.io/ingress.class: ambassador } }
        spec:
          tls: [{ hosts: [tls.ingress.example], secretName: ingress-tls }]
          rules: [{ host: tls.ingress.example, http: { paths: [{ path: /tls/, pathType: Prefix, backend: { service: { name: ing-a, port: { number: 80 } } } }] } }]
        """)]
    public async Task Tls_OfAnIngress_IsTerminatedAndCleartextGoesOn(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetTlsAsync("/tls/", "tls.ingress.example")).ShouldBeFrom("ing-a");
        (await gateway.GetAsync("/tls/", "tls.ingress.example")).ShouldBeFrom("ing-a");
    }

    [SkippableTheory, DataPlanes, Feature("K8S-05")]
    [Manifest("""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: default-backend, namespace: default, annotations: { kubernetes.io/ingress.class: ambassador } }
        spec: { defaultBackend: { service: { name: ing-default, port: { number: 80 } } } }
        """)]
    public async Task DefaultBackend_GetsWhatNothingElseMatches(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/nothing/else")).ShouldBeFrom("ing-default");

    [SkippableTheory, DataPlanes, Feature("K8S-06")]
    [Manifest("""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: wild, namespace: default, annotations: { kubernetes.io/ingress.class: ambassador } }
        spec: { rules: [{ host: "*.wild.example", http: { paths: [{ path: /wild/, pathType: Prefix, backend: { service: { name: ing-b, port: { number: 80 } } } }] } }] }
        """)]
    public async Task WildcardHost_IsForOneLabel(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/wild/", "one.wild.example")).ShouldBeFrom("ing-b");
        (await gateway.GetAsync("/wild/", "one.two.wild.example")).ShouldBeFrom("ing-default");
        (await gateway.GetAsync("/wild/", "wild.example")).ShouldBeFrom("ing-default");
    }

    [SkippableTheory, DataPlanes, Feature("K8S-07")]
    [Manifest("""
        apiVersion: v1
        kind: Service
        metadata: { name: ing-named, namespace: default }
        spec: { ports: [{ name: admin, port: 8080 }, { name: web, port: 8081 }] }
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: named, namespace: default, annotations: { kubernetes.io/ingress.class: ambassador } }
        spec: { rules: [{ http: { paths: [{ path: /named/, pathType: Prefix, backend: { service: { name: ing-named, port: { name: web } } } }] } }] }
        """)]
    public async Task NamedPort_OfAService_IsItsNumber(DataPlane plane) => (await (await group.On(plane)).GetAsync("/named/")).ShouldBeFrom("ing-named");
}
