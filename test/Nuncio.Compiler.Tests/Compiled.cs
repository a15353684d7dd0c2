using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Nuncio.Resources.Reading;
using Nuncio.Sources;
using Nuncio.Testing;

namespace Nuncio.Compiler.Tests;

/// <summary>Manifests as YAML, compiled whole.</summary>
internal sealed class Compiled
{
    private Compiled(ResourceSnapshot input, CompilationResult result)
    {
        Input = input;
        Result = result;
    }

    public ResourceSnapshot Input { get; }

    public CompilationResult Result { get; }

    public XdsSnapshot Snapshot => Result.Snapshot;

    /// <summary>Codes of the compiler's findings.</summary>
    public IEnumerable<string> Codes => Result.Findings.Select(finding => finding.Code);

    public static Compiled From(string yaml, CompilerOptions? options = null, SnapshotCompiler? compiler = null)
    {
        var reading = new ManifestReader().Read("input.yaml", yaml);
        var input = SnapshotAssembler.Assemble(1, [reading], [], SnapshotOptions.Default);
        return new Compiled(input, (compiler ?? new SnapshotCompiler(options ?? CompilerOptions.Default)).Compile(input));
    }

    /// <summary>A Listener for every Host.</summary>
    public static string Listener(string name = "l", int port = 8080, string protocol = "HTTPS", string model = "XFP") => $$"""
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Listener
        metadata: {name: {{name}}, namespace: default}
        spec: {port: {{port}}, protocol: {{protocol}}, securityModel: {{model}}, hostBinding: {namespace: {from: ALL} } }

        """;

    public static string Host(string name, string spec) => Resource("Host", name, spec);

    public static string Mapping(string name, string spec) => Resource("Mapping", name, spec);

    /// <summary>No probes and no diagnostics.</summary>
    public static string Quiet(string more = "") => Resource(
        "Module",
        "ambassador",
        "{config: {diagnostics: {enabled: false}, liveness_probe: {enabled: false}, readiness_probe: {enabled: false}"
            + (more.Length == 0 ? "" : ", " + more) + "}}");

    /// <summary>Any kind of getambassador.io, with its spec in YAML's flow style.</summary>
    public static string Resource(string kind, string name, string spec, string metadata = "") =>
        $"---\napiVersion: getambassador.io/v3alpha1\nkind: {kind}\n"
        + $"metadata: {{name: {name}, namespace: default{(metadata.Length == 0 ? "" : ", " + metadata)}}}\nspec: {spec}\n";

    public static string Secret(string name, TestCertificate certificate) => "---\n" + certificate.ToSecretYaml(name);

    /// <summary>The connection manager of a filter chain.</summary>
    public HttpConnectionManager Manager(string listener, string chain) =>
        Chain(listener, chain).Filters[0].TypedConfig.Unpack<HttpConnectionManager>();

    public ListenerV3.FilterChain Chain(string listener, string chain) =>
        Snapshot.Listeners[listener].Message.FilterChains.Single(candidate => candidate.Name == chain);

    public IEnumerable<string> Chains(string listener) => Snapshot.Listeners[listener].Message.FilterChains.Select(chain => chain.Name);

    /// <summary>The virtual hosts that a filter chain serves, by domain.</summary>
    public Dictionary<string, RouteV3.VirtualHost> VirtualHosts(string listener, string chain)
    {
        var routes = Snapshot.RouteConfigurations[Manager(listener, chain).Rds.RouteConfigName].Message;
        return routes.VirtualHosts.SelectMany(host => host.Domains, (host, domain) => (domain, host)).ToDictionary(pair => pair.domain, pair => pair.host);
    }

    /// <summary>A route in a few letters: its path, then what it does.</summary>
    public static string Show(RouteV3.Route route)
    {
        var match = route.Match;
        var path = match.PathSpecifierCase == RouteV3.RouteMatch.PathSpecifierOneofCase.Prefix ? match.Prefix + "*" : match.Path;
        var forwarded = match.Headers.FirstOrDefault(header => header.Name == "x-forwarded-proto");
        var condition = forwarded is null ? "" : forwarded.InvertMatch ? " !https" : " https";
        var action = route.ActionCase switch
        {
            RouteV3.Route.ActionOneofCase.Route_ => route.Route_.Cluster,
            RouteV3.Route.ActionOneofCase.Redirect => route.Redirect.HttpsRedirect ? "to https" : "redirect",
            _ => $"{route.DirectResponse.Status}",
        };
        return $"{path}{condition} -> {action}";
    }
}
