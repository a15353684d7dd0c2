using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Reading;

namespace Nuncio.Resources.Tests.Reading;

/// <summary>Spec section 11.4: resources in the annotation of a Service or Ingress.</summary>
public sealed class AnnotationTests
{
    private const string Service = """
        apiVersion: v1
        kind: Service
        metadata:
          name: quote
          namespace: shop
          labels: {team: blue}
          annotations:
            getambassador.io/config: |
              ---
              apiVersion: ambassador/v1
              kind: Mapping
              name: quote
              prefix: /quote/
              service: quote
              tls: true
              ---
              apiVersion: getambassador.io/v3alpha1
              kind: Mapping
              name: second
              namespace: other
              metadata_labels: {a: b}
              prefix: /two/
              service: 5
        """;

    [Fact]
    public void Read_AnnotatedService_AddsItsResourcesWithTheDefaultsOfTheService()
    {
        var reading = new ManifestReader().Read("s.yaml", Service.Replace("service: 5", "service: two", StringComparison.Ordinal));

        reading.Findings.ShouldBeEmpty();
        var mappings = reading.Resources.OfType<MappingResource>().ToArray();
        mappings[0].Key.ShouldBe(new ResourceKey("Mapping", "shop", "quote"));
        mappings[0].Labels["team"].ShouldBe("blue");
        mappings[0].Spec.Hostname.ShouldBe("*");
        mappings[0].Spec.Service.ShouldBe("https://quote");
        mappings[0].AnnotationOf.ShouldBe(new ResourceKey("Service", "shop", "quote"));
        mappings[0].Locate("spec.prefix").ShouldBe(new SourceLocation("s.yaml", 13, 7));
        mappings[1].Key.ShouldBe(new ResourceKey("Mapping", "other", "second"));
        mappings[1].Labels["a"].ShouldBe("b");
        reading.Resources[0].Annotations.Count.ShouldBe(0);
    }

    [Fact]
    public void Read_InvalidResourceInAnnotation_IsFoundAtItsPlaceAndStopsNoOther()
    {
        var reading = new ManifestReader().Read("s.yaml", Service);

        reading.Resources.Length.ShouldBe(2);
        var finding = reading.Findings.ShouldHaveSingleItem();
        finding.Code.ShouldBe(FindingCodes.WrongType);
        finding.Location.ShouldBe(new SourceLocation("s.yaml", 23, 16));
    }

    [Fact]
    public void Read_UnreadableAnnotation_KeepsTheService()
    {
        var reading = new ManifestReader().Read("s.yaml", """
            apiVersion: v1
            kind: Service
            metadata: {name: s, annotations: {getambassador.io/config: "a: [", other: kept}}
            """);

        reading.Resources.ShouldHaveSingleItem().Annotations["other"].ShouldBe("kept");
        reading.IsBroken.ShouldBeFalse();
        reading.Findings.ShouldHaveSingleItem().Code.ShouldBe(FindingCodes.AnnotationUnreadable);
    }
}
