using Nuncio.Compiler.Resolving;

namespace Nuncio.Compiler.Tests.Resolving;

public class AddressOverrideTests
{
    [Theory]
    [InlineData("quote=127.0.0.1:9000", "quote", null, "127.0.0.1", 9000)]
    [InlineData("quote.ns:80=localhost:9000", "quote.ns", 80, "localhost", 9000)]
    [InlineData("127.0.0.1:8877=127.0.0.1:21000", "127.0.0.1", 8877, "127.0.0.1", 21000)]
    [InlineData("*=[::1]:1", "*", null, "::1", 1)]
    [InlineData("[::1]:80=a:2", "::1", 80, "a", 2)]
    public void Parse_Option_HasItsParts(string text, string name, int? port, string address, int addressPort) =>
        AddressOverride.Parse(text, out _).ShouldBe(new AddressOverride(name, port, address, addressPort));

    [Theory]
    [InlineData("quote")]
    [InlineData("quote=")]
    [InlineData("quote=host")]
    [InlineData("=a:1")]
    [InlineData("a:x=b:1")]
    [InlineData("a=b:0")]
    [InlineData("a=b:65536")]
    public void Parse_NotAnOption_SaysWhy(string text)
    {
        AddressOverride.Parse(text, out var error).ShouldBeNull();
        error.ShouldNotBeNull();
    }

    [Fact]
    public void Find_SeveralFit_NameAndPortBeforeNameBeforeAny()
    {
        ImmutableArray<AddressOverride> all =
        [
            new("*", null, "any", 1), new("quote", null, "name", 2), new("QUOTE", 80, "both", 3), new("quote", 80, "second", 4),
        ];
        AddressOverride.Find(all, "quote", 80)!.Address.ShouldBe("both");
        AddressOverride.Find(all, "quote", 81)!.Address.ShouldBe("name");
        AddressOverride.Find(all, "other", 80)!.Address.ShouldBe("any");
        AddressOverride.Find([new("a", 1, "x", 1)], "a", 2).ShouldBeNull();
    }
}
