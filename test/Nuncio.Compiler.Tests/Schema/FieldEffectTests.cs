using System.Reflection;
using Nuncio.Testing;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Compiler.Tests.Schema;

/// <summary>
/// No field is accepted and forgotten: each one of each kind changes what is compiled, or is a finding. The fields come from the records by reflection, so that
/// one that is added without either fails here.
/// </summary>
public sealed class FieldEffectTests : IDisposable
{
    /// <summary>Where rows belong, and what an object of the kind has without them.</summary>
    private static readonly Kind[] Kinds =
    [
        new("Mapping", "prefix: /x/, service: svc, hostname: '*'", FieldRows.Mapping),
        new("TCPMapping", "port: 9000, service: svc", FieldRows.TcpMapping),
        new("Host", "hostname: a.com", FieldRows.Host),
        new("Listener", "port: 8080, protocol: HTTPS, securityModel: XFP, hostBinding: {namespace: {from: ALL}}", FieldRows.Listener),
        new("TLSContext", "secret: cert", FieldRows.TlsContext),
        new("AuthService", "auth_service: 'auth:3000'", FieldRows.AuthService),
        new("RateLimitService", "service: limit, protocol_version: v3", FieldRows.RateLimitService),
        new("LogService", "service: log, driver: http, driver_config: {}, protocol_version: v3, grpc: true", FieldRows.LogService),
        new("TracingService", "driver: zipkin, service: trace", FieldRows.TracingService),
        new("DevPortal", "", FieldRows.DevPortal),
        new("Module", "", FieldRows.Module, "ambassador"),
        new("Module", "", FieldRows.TlsModule, "tls"),
    ];

    /// <summary>What is no field of a manifest: a name that nothing refers to, and a note of the reader.</summary>
    private static readonly string[] NoFields = ["LabelGroup.Name", "AmbassadorModuleConfig.InvalidKeys"];

    private readonly TestCertificate _one = TestCertificate.Create(["a.com"]);
    private readonly TestCertificate _other = TestCertificate.Create(["a.com"]);
    private readonly TestCertificate _authority = TestCertificate.CreateAuthority("ca");

    public static TheoryData<string> Fields() => [.. Rows().Select(row => row.Field)];

    [Theory]
    [MemberData(nameof(Fields))]
    public void Field_ThatIsSet_ChangesWhatIsCompiledOrIsAFinding(string field)
    {
        var row = Rows().Single(row => row.Field == field);

        Compile(row.Kind, row.After).ShouldNotBe(Compile(row.Kind, row.Before));
    }

    [Fact]
    public void Rows_ThereAre_ForEachFieldOfEachRecord()
    {
        var named = Rows().Select(row => row.Field).ToHashSet(StringComparer.Ordinal);
        var records = typeof(MappingSpec).Assembly.GetExportedTypes()
            .Where(type => type.Namespace == typeof(MappingSpec).Namespace || type.Namespace == typeof(ModuleResource).Namespace)
            .Where(type => type is { IsClass: true, IsAbstract: false } && !type.Name.EndsWith("Resource", StringComparison.Ordinal))
            .ToHashSet();
        var fields = records
            .SelectMany(
                type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(property => (type, property)))
            .Select(pair => (Name: $"{pair.type.Name}.{pair.property.Name}", IsRecord: records.Contains(pair.property.PropertyType)))
            .ToList();

        // A record within a record is what its own fields are.
        fields.Where(field => !field.IsRecord).Select(field => field.Name).Except(named).Except(NoFields).ShouldBeEmpty();
        named.Except(fields.Select(field => field.Name)).ShouldBeEmpty();
    }

    [Fact]
    public void ConsulResolver_WhichIsNotBuiltYet_IsAFindingAsAWhole() =>
        Compiled.From(Compiled.Resource("ConsulResolver", "it", "{address: 'consul:8500', datacenter: dc1}")).Codes.ShouldContain(FindingCodes.NotYetSupported);

    public void Dispose()
    {
        _one.Dispose();
        _other.Dispose();
        _authority.Dispose();
    }

    private static IEnumerable<Row> Rows()
    {
        foreach (var kind in Kinds)
        {
            foreach (var line in kind.Rows.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                var cells = line.Split(" | ");
                yield return new Row(cells[0], kind, cells[1], cells.Length > 2 ? cells[2] : "");
            }
        }
    }

    /// <summary>Everything that comes of an object among others that may refer to it.</summary>
    private string Compile(Kind kind, string fields)
    {
        var spec = fields.StartsWith('{') ? fields : $"{{{kind.Base}{(kind.Base.Length > 0 && fields.Length > 0 ? ", " : "")}{fields}}}";
        if (kind.Name == "Module") spec = $"{{config: {spec}}}";
        var compiled = Compiled.From(
            string.Concat(Frame(kind))
            + Compiled.Secret("cert", _one) + Compiled.Secret("other", _other) + Compiled.Secret("ca", _authority)
            + Compiled.Resource(kind.Name, kind.ObjectName, spec));
        var findings = compiled.Input.Findings.AddRange(compiled.Result.Findings).Select(
            finding => $"{finding.Level} {finding.Code} {finding.Resource} {finding.FieldPath}");
        return XdsYaml.Format(BootstrapEmitter.Emit(compiled.Snapshot)) + string.Join('\n', findings.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Frame(Kind kind)
    {
        yield return Compiled.Listener("frame", 8443);
        yield return Compiled.Host("frame", "{hostname: '*', tlsSecret: {name: cert}}");
        yield return Compiled.Mapping("shared", "{prefix: /shared/, service: shared, hostname: '*'}");
        yield return Compiled.Resource("Mapping", "labelled", "{prefix: /labelled/, service: labelled}", "labels: {team: red}");
        yield return Compiled.Mapping("regex", "{prefix: '/a.*', prefix_regex: true, service: regex, hostname: '*'}");
        yield return Compiled.Mapping("near", "{prefix: /near/, service: near, hostname: '*'}").Replace(
            "namespace: default", "namespace: near", StringComparison.Ordinal);
        yield return Compiled.Resource("TCPMapping", "shared", "{port: 9002, service: shared}");
        yield return Compiled.Resource("TLSContext", "context", "{secret: cert, alpn_protocols: h2}");
        if (kind.Name is "Mapping") yield return Compiled.Resource("AuthService", "auth", "{auth_service: auth, proto: grpc, protocol_version: v3}");
        if (kind.Name is "Mapping" or "Module") yield return Compiled.Resource("RateLimitService", "limit", "{service: limit, protocol_version: v3}");
        if (kind.Name is "RateLimitService")
            yield return Compiled.Mapping("limited", "{prefix: /l/, service: l, hostname: '*', labels: {ambassador: [{g: [{generic_key: {value: v}}]}]}}");
        if (kind.Name is "TLSContext")
        {
            yield return Compiled.Host("named", "{hostname: a.com, tlsSecret: {name: cert}, tlsContext: {name: it}}");
            yield return Compiled.Mapping("originating", "{prefix: /o/, service: 'https://o', hostname: '*', tls: it}");
        }
        if (kind.Name is "Module")
        {
            yield return Compiled.Mapping("originating", "{prefix: /o/, service: o, hostname: '*', tls: qualified}");
            yield return Compiled.Resource("TLSContext", "qualified", "{secret: cert.default}");
            yield return Compiled.Mapping("upstream", "{prefix: /u/, service: u, hostname: '*', tls: upstream}");
        }
    }

    private sealed record Kind(string Name, string Base, string Rows, string ObjectName = "it");

    private sealed record Row(string Field, Kind Kind, string After, string Before);
}
