using Nuncio.Compiler.Hosts;

namespace Nuncio.Compiler.Tests.Hosts;

public class HostGlobTests
{
    // SPEC 5.2.
    [Theory]
    [InlineData("a.com", "a.com", true)]
    [InlineData("A.com", "a.COM", true)]
    [InlineData("a.com", "b.com", false)]
    [InlineData("*", "anything", true)]
    [InlineData("*.example.com", "foo.example.com", true)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("*example.com", "example.com", false)]
    [InlineData("*example.com", "*.example.com", true)]
    [InlineData("*.a.b", "*.b", true)]
    [InlineData("*.a.b", "*.c", false)]
    [InlineData("foo.*", "foo.com", true)]
    [InlineData("foo.*", "bar.com", false)]
    [InlineData("foo.*", "foo.bar.*", true)]
    [InlineData("*.com", "foo.*", true)]
    [InlineData(".com", "*.com", false)]
    [InlineData("*a*", "xay", false)]
    [InlineData("*a*", "*a*", true)]
    public void AreCompatible_IsAsEmissaryHasIt_InBothDirections(string first, string second, bool expected)
    {
        HostGlob.AreCompatible(first, second).ShouldBe(expected);
        HostGlob.AreCompatible(second, first).ShouldBe(expected);
    }

    [Theory]
    [InlineData("*", "a.example.com", true)]
    [InlineData("*.example.com", "a.example.com", true)]
    [InlineData("*.example.com", "*.b.example.com", true)]
    [InlineData("*.b.example.com", "*.example.com", false)]
    [InlineData("*.example.com", "example.com", false)]
    public void Covers_TellsWhetherEveryNameOfTheOtherMatches(string wide, string narrow, bool expected) => HostGlob.Covers(wide, narrow).ShouldBe(expected);
}
