using Nuncio.Compiler.Naming;

namespace Nuncio.Compiler.Tests.Naming;

public class StoredNamesTests
{
    [Theory]
    [InlineData("a", "x", "b", "a")]
    [InlineData("a", "x", "a", "y")]
    [InlineData("quote-canary", "x", "quote", "x")]
    [InlineData("quote", "x", "quote0", "x")]
    [InlineData("quote", "x", "quote.x", "x")]
    public void Compare_IsThatOfNameDotNamespace(string name, string space, string otherName, string otherSpace)
    {
        var one = new LoadPlace(name, space, 1);
        var other = new LoadPlace(otherName, otherSpace, 1);

        LoadPlace.Compare(one, other).ShouldBeLessThan(0);
        LoadPlace.Compare(other, one).ShouldBeGreaterThan(0);
        string.CompareOrdinal($"{name}.{space}", $"{otherName}.{otherSpace}").ShouldBeLessThan(0);
    }

    [Fact]
    public void Compare_InAnnotations_IsByTheCarrierAndTheNumberAsText()
    {
        string[] names = [.. StoredNames.InOrder(
            [Annotated("z", "b", 1), Annotated("y", "a", 2), Annotated("x", "a", 10), Own("aa"), Own("a-")]).Select(static mapping => mapping.Name)];

        names.ShouldBe(["a-", "x", "y", "aa", "z"]);

        static Resource Own(string name) => new MappingResource { Key = new ResourceKey("Mapping", "d", name), Spec = new() { Prefix = "/", Service = "s" } };
        static Resource Annotated(string name, string service, int number) =>
            Own(name) with { AnnotationOf = new ResourceKey("Service", "d", service), AnnotationNumber = number };
    }
}
