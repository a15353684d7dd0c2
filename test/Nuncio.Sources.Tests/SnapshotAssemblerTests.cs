using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Sources.Tests;

public sealed class SnapshotAssemblerTests
{
    [Theory]
    [InlineData("", "default", true)]
    [InlineData("", "other", false)]
    [InlineData("ambassador_id: [a, b]", "b", true)]
    [InlineData("ambassador_id: a", "a", true)]
    [InlineData("ambassador_id: [a]", "default", false)]
    [InlineData("ambassador_id: []", "default", false)]
    [InlineData("ambassador_id: [_automatic_]", "any", true)]
    public void Assemble_AmbassadorId_DecidesWhoseResourceItIs(string field, string id, bool expected)
    {
        var snapshot = Assemble(
            SnapshotOptions.Default with { AmbassadorId = id }, Mapping("m", "default", field + (field.Length > 0 ? ", " : "") + "oops: 1"));

        snapshot.Mappings.Length.ShouldBe(expected ? 1 : 0);
        snapshot.Findings.Length.ShouldBe(expected ? 1 : 0);
    }

    [Fact]
    public void Assemble_Resources_AreSortedByNamespaceThenName()
    {
        var snapshot = Assemble(SnapshotOptions.Default, Mapping("b", "x"), Mapping("a", "y"), Mapping("a", "x"));

        snapshot.Mappings.Select(m => m.Namespace + "/" + m.Name).ShouldBe(["x/a", "x/b", "y/a"]);
    }

    [Fact]
    public void Assemble_SameKeyTwice_TakesTheFirstAndSaysSo()
    {
        var snapshot = Assemble(SnapshotOptions.Default, Mapping("a", "x", "weight: 1"), Mapping("a", "x", "weight: 2"));

        snapshot.Mappings.ShouldHaveSingleItem().Spec.Weight.ShouldBe(1);
        snapshot.Findings.ShouldHaveSingleItem().Code.ShouldBe(FindingCodes.DuplicateResource);
    }

    [Fact]
    public void Assemble_SingleNamespace_TakesThatOneOnly()
    {
        var snapshot = Assemble(SnapshotOptions.Default with { OnlyNamespace = "x" }, Mapping("a", "x"), Mapping("a", "y"));

        snapshot.Mappings.ShouldHaveSingleItem().Namespace.ShouldBe("x");
    }

    [Fact]
    public void Assemble_UnknownKind_IsNoticedOnce()
    {
        const string Deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n";
        var finding = Assemble(SnapshotOptions.Default, Deployment, Deployment).Findings.ShouldHaveSingleItem();

        finding.Code.ShouldBe(FindingCodes.UnknownKind);
        finding.Level.ShouldBe(FindingLevel.Notice);
    }

    [Fact]
    public void Assemble_InvalidResource_IsKnownToTheCompiler()
    {
        var snapshot = Assemble(
            SnapshotOptions.Default, "apiVersion: getambassador.io/v3alpha1\nkind: AuthService\nmetadata: {name: auth}\nspec: {auth_service: 5}\n");

        snapshot.AuthServices.ShouldBeEmpty();
        snapshot.Invalid.ShouldBe([new ResourceKey("AuthService", "default", "auth")]);
    }

    [Fact]
    public void Assemble_InvalidResourceOfAKindWithoutIds_CountsForEveryId()
    {
        var snapshot = Assemble(SnapshotOptions.Default with { AmbassadorId = "other" }, "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: '?'}\n");

        snapshot.Invalid.ShouldBe([new ResourceKey("Secret", "default", "s")]);
        snapshot.Findings.ShouldHaveSingleItem();
    }

    [Fact]
    public void Assemble_IngressClassInSingleNamespaceMode_IsNotSeen()
    {
        const string Class = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: c}\n";

        Assemble(SnapshotOptions.Default, Class).IngressClasses.Length.ShouldBe(1);
        Assemble(SnapshotOptions.Default with { OnlyNamespace = "x" }, Class).IngressClasses.ShouldBeEmpty();
    }

    private static ResourceSnapshot Assemble(SnapshotOptions options, params string[] documents) =>
        SnapshotAssembler.Assemble(1, [new ManifestReader().Read("a.yaml", string.Join("\n---\n", documents))], [], options);

    private static string Mapping(string name, string ns, string fields = "") =>
        $"apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {{name: {name}, namespace: {ns}}}\nspec: {{prefix: /, service: s, {fields}}}\n";
}
