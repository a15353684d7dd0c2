using Nuncio.Resources.Reading;

namespace Nuncio.Resources.Tests.Reading;

public sealed class NameSuggestionTests
{
    private static readonly string[] Known = ["prefix", "prefix_exact", "timeout_ms", "hostname", "host", "add_request_headers"];

    [Theory]
    [InlineData("timout_ms", "timeout_ms")]
    [InlineData("hostnmae", "hostname")]
    [InlineData("prefixExact", "prefix_exact")]
    [InlineData("add-request-headers", "add_request_headers")]
    [InlineData("Host", "host")]
    [InlineData("unrelated", null)]
    [InlineData("", null)]
    public void For_Name_GivesTheNearestKnownOne(string name, string? expected) => NameSuggestion.For(name, Known).ShouldBe(expected);
}
