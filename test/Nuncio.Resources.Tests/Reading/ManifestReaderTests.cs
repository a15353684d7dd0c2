using System.Diagnostics.CodeAnalysis;
using System.Text;
using Nuncio.Resources.Core;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Reading;

namespace Nuncio.Resources.Tests.Reading;

[SuppressMessage("Naming", "CA1711", Justification = "Test class.")]
public sealed class ManifestReaderTests
{
    private const string Mapping = """
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata:
          name: quote
        spec:
          hostname: "*"
          prefix: /quote/
          service: quote
        """;

    [Fact]
    public void Read_Mapping_KeepsWhatWasWrittenAndNothingElse()
    {
        var mapping = ReadOne<MappingResource>(Mapping);

        mapping.Key.ShouldBe(new ResourceKey("Mapping", "default", "quote"));
        mapping.Spec.ShouldBe(new MappingSpec { Hostname = "*", Prefix = "/quote/", Service = "quote" });
        mapping.Location.ShouldBe(new SourceLocation("a.yaml", 1, 1));
    }

    [Fact]
    public void Read_JsonOnOneLine_CountsColumnsInCharacters()
    {
        var reading = Read("""{"apiVersion":"getambassador.io/v3alpha1","kind":"Mapping","metadata":{"name":"a"},"spec":{"hostname":"*","docs":{"display_name":"äé😀"},"prefix":"/","service":"a","timout_ms":1}}""");

        reading.Findings.Single(finding => finding.Code == FindingCodes.UnknownField).Location.ShouldBe(new SourceLocation("a.yaml", 1, 165));
    }

    [Theory]
    [InlineData("getambassador.io/v3alpha1", "Mappping", "Mapping")]
    [InlineData("getambassador.io/v3alpha1", "TLSContxt", "TLSContext")]
    [InlineData("v1", "Sercet", "Secret")]
    [InlineData("apps/v1", "Deployment", null)]
    public void Read_UnknownKind_SuggestsTheOneThatIsNear(string apiVersion, string kind, string? suggestion)
    {
        var reading = Read($"apiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{name: a}}\n");

        reading.UnknownKinds.ShouldHaveSingleItem().Suggestion().ShouldBe(suggestion);
    }

    [Fact]
    public void Read_UnknownField_WarnsWithPlaceAndSuggestionAndKeepsTheObject()
    {
        var reading = Read(Mapping + "\n  timout_ms: 3000");

        reading.Resources.Length.ShouldBe(1);
        var finding = reading.Findings.ShouldHaveSingleItem();
        finding.Code.ShouldBe(FindingCodes.UnknownField);
        finding.Level.ShouldBe(FindingLevel.Warning);
        finding.FieldPath.ShouldBe("spec.timout_ms");
        finding.Location.ShouldBe(new SourceLocation("a.yaml", 9, 3));
        finding.Suggestion.ShouldBe("timeout_ms");
    }

    [Theory]
    [InlineData("timeout_ms: \"3000\"", FindingCodes.WrongType, "spec.timeout_ms")]
    [InlineData("grpc: maybe", FindingCodes.WrongType, "spec.grpc")]
    [InlineData("modules: yes", FindingCodes.WrongType, "spec.modules")]
    [InlineData("modules: [1]", FindingCodes.WrongType, "spec.modules[0]")]
    [InlineData("envoy_override: []", FindingCodes.WrongType, "spec.envoy_override")]
    [InlineData("v2BoolHeaders: {}", FindingCodes.WrongType, "spec.v2BoolHeaders")]
    [InlineData("v2ExplicitTLS: x", FindingCodes.WrongType, "spec.v2ExplicitTLS")]
    [InlineData("rewrite: null", FindingCodes.WrongType, "spec.rewrite")]
    [InlineData("redirect_response_code: 300", FindingCodes.ValueNotAllowed, "spec.redirect_response_code")]
    [InlineData("retry_policy: {retry_on: 5xxx}", FindingCodes.ValueNotAllowed, "spec.retry_policy.retry_on")]
    [InlineData("health_checks: []", FindingCodes.ValueOutOfRange, "spec.health_checks")]
    [InlineData("load_balancer: {header: x}", FindingCodes.FieldMissing, "spec.load_balancer.policy")]
    [InlineData("cors: {origins: [a, 1]}", FindingCodes.WrongType, "spec.cors.origins[1]")]
    [InlineData("labels: {ambassador: [{}]}", FindingCodes.ValueOutOfRange, "spec.labels.ambassador[0]")]
    [InlineData("add_request_headers: {x.y: {value: 1}}", FindingCodes.WrongType, "spec.add_request_headers[\"x.y\"].value")]
    public void Read_SchemaViolation_LeavesTheObjectOut(string field, string code, string path)
    {
        var reading = Read(Mapping + "\n  " + field);

        reading.Resources.ShouldBeEmpty();
        reading.Invalid.ShouldHaveSingleItem().Key.Name.ShouldBe("quote");
        var finding = reading.Findings.ShouldHaveSingleItem();
        finding.Code.ShouldBe(code);
        finding.Level.ShouldBe(FindingLevel.Error);
        finding.FieldPath.ShouldBe(path);
        finding.Location!.Line.ShouldBe(9);
    }

    [Theory]
    [InlineData("timeout_ms: 0x10", 16)]
    [InlineData("timeout_ms: 3e3", 3000)]
    [InlineData("timeout_ms: 1_000", 1000)]
    public void Read_NumberInAnotherNotation_IsAnInteger(string field, long expected) =>
        ReadOne<MappingResource>(Mapping + "\n  " + field).Spec.TimeoutMs.ShouldBe(expected);

    [Fact]
    public void Read_EmptyRewrite_IsNotTheSameAsNone()
    {
        ReadOne<MappingResource>(Mapping).Spec.Rewrite.ShouldBeNull();
        ReadOne<MappingResource>(Mapping + "\n  rewrite: ''").Spec.Rewrite.ShouldBe("");
        ReadOne<MappingResource>(Mapping + "\n  remove_request_headers: []").Spec.RemoveRequestHeaders.ShouldNotBeNull().Count.ShouldBe(0);
    }

    [Fact]
    public void Read_BrokenDocument_KeepsTheOthers()
    {
        var reading = Read($"{Mapping}\n---\nkind: [unclosed\n---\n{Mapping.Replace("name: quote", "name: other", StringComparison.Ordinal)}");

        reading.IsBroken.ShouldBeTrue();
        reading.Resources.Select(r => r.Name).ShouldBe(["quote", "other"]);
        reading.Findings.ShouldHaveSingleItem().Code.ShouldBe(FindingCodes.DocumentUnreadable);
        reading.Resources[1].Location!.Line.ShouldBe(12);
    }

    [Fact]
    public void Read_ListOfLists_FindsEveryObject()
    {
        var reading = Read("""
            apiVersion: v1
            kind: List
            items:
            - apiVersion: v1
              kind: ServiceList
              items:
              - metadata: {name: a}
                spec: {ports: [{port: 80, targetPort: http}]}
            - apiVersion: v1
              kind: Namespace
              metadata: {name: b, namespace: ignored}
            """);

        var service = reading.Resources[0].ShouldBeOfType<ServiceResource>();
        service.Ports.ShouldHaveSingleItem().TargetPortName.ShouldBe("http");
        service.Locate("spec.ports[0].port").ShouldBe(new SourceLocation("a.yaml", 8, 21));
        reading.Resources[1].Key.ShouldBe(new ResourceKey("Namespace", "", "b"));
        reading.Findings.ShouldBeEmpty();
    }

    [Fact]
    public void Read_Json_GivesTheSameAsYaml()
    {
        var json = """
            {
              "apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping", "metadata": {"name": "quote"},
              "spec": {"hostname": "*", "prefix": "/quote/",
            	"servce": "quote"}
            }
            """;
        var reading = Read(json);

        reading.Findings.Select(f => (f.Code, f.FieldPath, f.Location)).ShouldBe(
            [
                (FindingCodes.FieldMissing, "spec.service", new SourceLocation("a.yaml", 3, 11)),
                (FindingCodes.UnknownField, "spec.servce", new SourceLocation("a.yaml", 4, 2)),
            ],
            ignoreOrder: true);
        ReadOne<MappingResource>(json.Replace("servce", "service", StringComparison.Ordinal)).ShouldBe(ReadOne<MappingResource>(Mapping));
    }

    [Fact]
    public void Read_AliasBomb_IsAFinding()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 12; i++)
            bomb.Append('a').Append(i).Append(": &a").Append(i).Append(" [").AppendJoin(", ", Enumerable.Repeat($"*a{i - 1}", 10)).Append("]\n");

        Read(bomb.ToString()).Findings.ShouldHaveSingleItem().Code.ShouldBe(FindingCodes.DocumentTooLarge);
    }

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    public void Read_DeepNesting_IsAFinding(char bracket)
    {
        var text = bracket == '[' ? new string('[', 100_000) : string.Concat(Enumerable.Repeat("{\"a\":", 100_000));

        Read("a: " + text).Findings.ShouldHaveSingleItem().Code.ShouldBe(FindingCodes.DocumentTooLarge);
        Read(text).IsBroken.ShouldBeTrue();
    }

    [Theory]
    [InlineData("\u0000")]
    [InlineData("just text")]
    [InlineData("- a\n- b")]
    [InlineData("kind: Mapping")]
    [InlineData("apiVersion: 1\nkind: 2")]
    [InlineData("apiVersion: getambassador.io/v3alpha1\nkind: Mapping")]
    [InlineData("apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: 1}")]
    [InlineData("apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: a}\nspec: null")]
    [InlineData("apiVersion: getambassador.io/v9\nkind: Mapping\nmetadata: {name: a}")]
    [InlineData("? [a]\n: b")]
    [InlineData("*nowhere")]
    [InlineData("a: &a [*a]")]
    [InlineData("<<: 1")]
    [InlineData("a: !!int x\n\tb: c")]
    [InlineData("{\"a\": \"\\ud800\"}")]
    public void Read_AnythingElse_IsAFindingAndNoResource(string text)
    {
        var reading = Read(text);

        reading.Resources.ShouldBeEmpty();
        reading.Findings.ShouldNotBeEmpty();
    }

    [Fact]
    public void Read_EmptyDocuments_AreNothing() => Read("\uFEFF# nothing\n---\n---\n%YAML 1.1\n---\n...\n").Findings.ShouldBeEmpty();

    [Fact]
    public void Read_DuplicateField_TakesTheLastAndSaysSo()
    {
        var reading = Read(Mapping + "\n  prefix: /other/");

        reading.Findings.ShouldHaveSingleItem().Code.ShouldBe(FindingCodes.DuplicateField);
        reading.Resources.ShouldHaveSingleItem().ShouldBeOfType<MappingResource>().Spec.Prefix.ShouldBe("/other/");
    }

    [Fact]
    public void Read_Again_KeepsTheObjectsOfUnchangedDocuments()
    {
        var reader = new ManifestReader();
        var other = Mapping.Replace("name: quote", "name: other", StringComparison.Ordinal);
        var first = reader.Read("a.yaml", $"{Mapping}\n---\n{other}\n");
        var second = reader.Read("a.yaml", $"{Mapping}\n---\n{other}\n  weight: 5\n", first);
        second.Resources[0].ShouldBeSameAs(first.Resources[0]);
        var third = reader.Read("a.yaml", $"# a line more\n{Mapping}\n---\n{other}\n", first);
        third.Resources[1].ShouldBe(first.Resources[1]);
        third.Resources[1].Location!.Line.ShouldBe(first.Resources[1].Location!.Line + 1);
        third.Resources[1].Locate("spec.prefix")!.Line.ShouldBe(first.Resources[1].Locate("spec.prefix")!.Line + 1);
    }

    [Fact]
    public void Read_MergeKeysAndAnchors_AreExpanded()
    {
        var mapping = ReadOne<MappingResource>("""
            apiVersion: getambassador.io/v3alpha1
            kind: Mapping
            metadata: {name: a}
            spec:
              <<: {prefix: /base/, service: &s base}
              prefix: /own/
              cluster_tag: *s
            """);

        mapping.Spec.ShouldBe(new MappingSpec { Prefix = "/own/", Service = "base", ClusterTag = "base" });
    }

    [Fact]
    public void Read_Secret_DecodesAndNeverShowsItsValues()
    {
        var reading = Read("""
            apiVersion: v1
            kind: Secret
            metadata: {name: a}
            data: {tls.key: c2VjcmV0}
            stringData: {other: open}
            """);

        var secret = reading.Resources.ShouldHaveSingleItem().ShouldBeOfType<SecretResource>();
        Encoding.UTF8.GetString(secret.Data["tls.key"].Value.Span).ShouldBe("secret");
        Encoding.UTF8.GetString(secret.Data["other"].Value.Span).ShouldBe("open");
        secret.ToString().ShouldNotContain("c2VjcmV0");
        secret.Data["tls.key"].ToString().ShouldNotContain("secret");
    }

    [Fact]
    public void Read_SecretThatIsNotBase64_DoesNotQuoteIt()
    {
        var finding = Read("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {tls.key: '?hidden?'}").Findings.ShouldHaveSingleItem();

        finding.Code.ShouldBe(FindingCodes.ValueNotAllowed);
        finding.Message.ShouldNotContain("hidden");
    }

    [Fact]
    public void Read_ConsulAddress_ExpandsTheEnvironmentAndNothingElseDoes()
    {
        var options = ReadingOptions.Default with { Environment = name => name == "CONSUL" ? "10.0.0.1" : null };
        var reading = new ManifestReader(options).Read("a.yaml", """
            apiVersion: getambassador.io/v3alpha1
            kind: ConsulResolver
            metadata: {name: c}
            spec: {address: "${CONSUL}:8500$X", datacenter: $CONSUL}
            """);

        var consul = reading.Resources.ShouldHaveSingleItem().ShouldBeOfType<ConsulResolverResource>();
        consul.Address.ShouldBe("10.0.0.1:8500$X");
        consul.Datacenter.ShouldBe("$CONSUL");
    }

    [Fact]
    public void Read_Ingress_GivesOldAndNewVersionsOneForm()
    {
        const string Old = """
            apiVersion: extensions/v1beta1
            kind: Ingress
            metadata: {name: i}
            spec:
              rules: [{http: {paths: [{path: /, backend: {serviceName: s, servicePort: http}}]}}]
            """;
        const string New = """
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: i}
            spec:
              rules: [{http: {paths: [{path: /, backend: {service: {name: s, port: {name: http}}}}]}}]
            """;

        ReadOne<IngressResource>(Old).ShouldBe(ReadOne<IngressResource>(New));
    }

    private static ManifestReading Read(string text) => new ManifestReader().Read("a.yaml", text);

    private static T ReadOne<T>(string text)
        where T : Resource
    {
        var reading = Read(text);
        reading.Findings.ShouldBeEmpty();
        return reading.Resources.ShouldHaveSingleItem().ShouldBeOfType<T>();
    }
}
