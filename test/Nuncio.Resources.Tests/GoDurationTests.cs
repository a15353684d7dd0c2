namespace Nuncio.Resources.Tests;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("5s", 5000)]
    [InlineData("1.5s", 1500)]
    [InlineData("300ms", 300)]
    [InlineData("1h1m1s", 3661000)]
    [InlineData("-2s", -2000)]
    [InlineData("0", 0)]
    public void TryParse_Duration_IsRead(string text, double milliseconds)
    {
        GoDuration.TryParse(text, out var duration).ShouldBeTrue();
        duration.TotalMilliseconds.ShouldBe(milliseconds);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("5 s")]
    [InlineData("1.2.3s")]
    [InlineData("99999999999999999h")]
    public void TryParse_AnythingElse_IsNot(string? text) => GoDuration.TryParse(text, out _).ShouldBeFalse();
}
