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
        var one = new ResourceKey("Mapping", space, name);
        var other = new ResourceKey("Mapping", otherSpace, otherName);

        StoredNames.Compare(one, other).ShouldBeLessThan(0);
        StoredNames.Compare(other, one).ShouldBeGreaterThan(0);
        string.CompareOrdinal($"{name}.{space}", $"{otherName}.{otherSpace}").ShouldBeLessThan(0);
    }
}
