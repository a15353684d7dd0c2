using Nuncio.Compiler;
using Nuncio.Diagnostics.Explaining;
using Nuncio.Resources.Reading;
using Nuncio.Sources;

namespace Nuncio.Diagnostics.Tests.Explaining;

public sealed class SampleRequestTests
{
    private const string Listener = """
        apiVersion: getambassador.io/v3alpha1
        kind: Listener
        metadata: {name: web}
        spec: {port: 8123, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
        ---
        """;

    [Fact]
    public void Find_MappingOfEveryHost_IsAskedAtLocalhost() => Find(Host("*") + Mapping("*", "/backend/")).ShouldBe("curl http://localhost:8123/backend/");

    [Fact]
    public void Find_MappingOfAName_SaysTheName() =>
        Find(Host("example.com") + Mapping("example.com", "/backend/")).ShouldBe("curl -H 'Host: example.com' http://localhost:8123/backend/");

    [Fact]
    public void Find_MappingWithAHeader_IsPassedOver() =>
        Find(Host("*") + Mapping("*", "/one/", "headers: {x-user: a}, ") + Mapping("*", "/two/", name: "second")).ShouldBe("curl http://localhost:8123/two/");

    [Fact]
    public void Find_PathThatAShellWouldRead_IsQuoted() => Find(Host("*") + Mapping("*", "/a'$(b)/")).ShouldBe(@"curl 'http://localhost:8123/a'\''$(b)/'");

    [Fact]
    public void Find_NothingButRedirects_IsNothing() => Find(Host("*") + Mapping("*", "/one/", "host_redirect: true, ")).ShouldBeNull();

    private static string Host(string name) =>
        $$"""
        apiVersion: getambassador.io/v3alpha1
        kind: Host
        metadata: {name: host}
        spec: {hostname: "{{name}}", requestPolicy: {insecure: {action: Route} } }
        ---

        """;

    private static string Mapping(string host, string prefix, string more = "", string name = "first") =>
        $$"""
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata: {name: {{name}}}
        spec: {hostname: "{{host}}", prefix: "{{prefix}}", {{more}}service: "quote:5000"}
        ---

        """;

    private static string? Find(string manifests)
    {
        var resources = SnapshotAssembler.Assemble(1, [new ManifestReader().Read("a.yaml", Listener + "\n" + manifests)], [], SnapshotOptions.Default);
        return SampleRequest.Find(resources, new SnapshotCompiler(CompilerOptions.Default).Compile(resources));
    }
}
