using Nuncio.Resources.Collections;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Reading;

namespace Nuncio.Resources.Tests.Reading;

/// <summary>Spec section 3: v1 and v2 become v3alpha1 on reading.</summary>
public sealed class LegacyConversionTests
{
    [Theory]
    [InlineData("", "*", null)]
    [InlineData("host: a.example.com", "a.example.com", null)]
    [InlineData("host: ''", "*", null)]
    [InlineData("host: _skip_mapping_with_empty_host_", null, null)]
    [InlineData("host: '[a-z]+', host_regex: true", null, "[a-z]+")]
    public void Mapping_Host_BecomesHostname(string fields, string? hostname, string? host)
    {
        var spec = ReadMapping(fields);

        spec.Hostname.ShouldBe(hostname);
        spec.Host.ShouldBe(host);
    }

    [Theory]
    [InlineData("service: s, tls: true", "https://s", null)]
    [InlineData("service: 'http://s', tls: true", "https://s", null)]
    [InlineData("service: 'HTTPS://s', tls: true", "HTTPS://s", null)]
    [InlineData("service: s, tls: false", "s", null)]
    [InlineData("service: s, tls: null", "s", null)]
    [InlineData("service: s, tls: ctx", "s", "ctx")]
    public void Mapping_Tls_BecomesTheSchemeOfTheService(string fields, string service, string? tls)
    {
        var spec = ReadMapping(fields);

        spec.Service.ShouldBe(service);
        spec.Tls.ShouldBe(tls);
    }

    [Fact]
    public void Mapping_BooleanHeaders_BecomePatterns()
    {
        var spec = ReadMapping("headers: {x-text: a, x-any: true, x-none: false}, regex_headers: {x-other: b}, query_parameters: {q: true}");

        spec.Headers.ShouldBe(ValueMap.Of(("x-text", "a")));
        spec.RegexHeaders.ShouldBe(ValueMap.Of(("x-other", "b"), ("x-any", ".*")));
        spec.RegexQueryParameters.ShouldBe(ValueMap.Of(("q", ".*")));
    }

    [Fact]
    public void Mapping_ShortForms_BecomeLong()
    {
        var spec = ReadMapping(
            "add_request_headers: {a: x, b: {value: y, append: false}, c: null}, remove_request_headers: z, "
            + "cors: {origins: 'a,b', methods: GET}, v3StatsName: stats");

        spec.AddRequestHeaders.ShouldBe(ValueMap.Of(("a", new AddedHeader("x", null)), ("b", new AddedHeader("y", false)), ("c", new AddedHeader(null, null))));
        spec.RemoveRequestHeaders.ShouldBe(["z"]);
        spec.Cors.ShouldBe(new CorsConfig { Origins = ["a", "b"], Methods = ["GET"] });
        spec.StatsName.ShouldBe("stats");
    }

    [Fact]
    public void Mapping_LabelSpecifiers_BecomeTyped()
    {
        var spec = ReadMapping(
            "labels: {ambassador: [{g: [remote_address, text, {generic_key: k}, {x-h: {header: X-H, omit_if_not_present: true}}]}]}");

        ValueList<LabelSpecifier> expected =
        [
            new RemoteAddressSpecifier(), new GenericKeySpecifier(null, "text"), new GenericKeySpecifier(null, "k"),
            new RequestHeaderSpecifier("x-h", "X-H", true),
        ];
        spec.Labels!["ambassador"].ShouldHaveSingleItem().ShouldBe(new LabelGroup("g", expected));
    }

    [Fact]
    public void Host_SelectorAndIds_AreRenamed()
    {
        var reading = new ManifestReader().Read("a.yaml", """
            apiVersion: getambassador.io/v2
            kind: Host
            metadata: {name: h}
            spec: {ambassador_id: [--apiVersion-v3alpha1-only--a], ambassadorId: b, selector: {matchLabels: {x: y}}, tls: {v3CRLSecret: crl}}
            """);

        var host = reading.Resources.ShouldHaveSingleItem().ShouldBeOfType<HostResource>();
        host.AmbassadorId.ShouldBe(["a", "b"]);
        host.Spec.MappingSelector.ShouldBe(new LabelSelector(ValueMap.Of(("x", "y")), false));
        host.Spec.Tls!.CrlSecret.ShouldBe("crl");
        reading.Findings.ShouldBeEmpty();
        reading.LegacyVersions.ShouldHaveSingleItem();
    }

    [Fact]
    public void TracingService_TagHeaders_BecomeCustomTags()
    {
        var reading = new ManifestReader().Read("a.yaml", """
            apiVersion: getambassador.io/v1
            kind: TracingService
            metadata: {name: t}
            spec: {driver: zipkin, service: z, tag_headers: [x-a]}
            """);

        var tracing = reading.Resources.ShouldHaveSingleItem().ShouldBeOfType<TracingServiceResource>();
        tracing.Spec.CustomTags.ShouldBe([new CustomTag { Tag = "x-a", RequestHeader = new CustomTagSource("x-a", null) }]);
    }

    [Fact]
    public void Mapping_WrongTypeInOldVersion_PointsToTheOldField()
    {
        var reading = new ManifestReader().Read(
            "a.yaml", "apiVersion: getambassador.io/v2\nkind: Mapping\nmetadata: {name: m}\nspec:\n  prefix: /\n  service: s\n  host: 5\n");

        reading.Resources.ShouldBeEmpty();
        var finding = reading.Findings.ShouldHaveSingleItem();
        finding.Code.ShouldBe(FindingCodes.WrongType);
        finding.Location!.Line.ShouldBe(7);
    }

    private static MappingSpec ReadMapping(string fields)
    {
        var defaults = fields.Contains("service:", StringComparison.Ordinal) ? "" : "service: s, ";
        var reading = new ManifestReader().Read(
            "a.yaml", $"apiVersion: getambassador.io/v2\nkind: Mapping\nmetadata: {{name: m}}\nspec: {{prefix: /, {defaults}{fields}}}");
        reading.Findings.ShouldBeEmpty();
        return reading.Resources.ShouldHaveSingleItem().ShouldBeOfType<MappingResource>().Spec;
    }
}
