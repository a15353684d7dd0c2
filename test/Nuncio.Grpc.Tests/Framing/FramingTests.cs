using Nuncio.Grpc.Framing;

namespace Nuncio.Grpc.Tests.Framing;

public class FramingTests
{
    [Theory]
    [InlineData(1, "1m")]
    [InlineData(5000, "5000m")]
    [InlineData(99_999_999, "99999999m")]
    [InlineData(100_000_000, "100000S")]
    [InlineData(99_999_999_500, "1666667M")]
    public void Timeout_Formatted_TakesTheSmallestUnitThatFits(long milliseconds, string expected) =>
        GrpcTimeout.Format(TimeSpan.FromMilliseconds(milliseconds)).ShouldBe(expected);

    [Fact]
    public void Timeout_BelowAMillisecond_IsRoundedUp() => GrpcTimeout.Format(TimeSpan.FromMicroseconds(3)).ShouldBe("1m");

    [Theory]
    [InlineData("1H", 3600_000)]
    [InlineData("2M", 120_000)]
    [InlineData("3S", 3000)]
    [InlineData("25m", 25)]
    [InlineData("5000u", 5)]
    [InlineData("7000000n", 7)]
    public void Timeout_OfEachUnit_IsRead(string text, int milliseconds)
    {
        GrpcTimeout.TryParse(text, out var timeout).ShouldBeTrue();
        timeout.TotalMilliseconds.ShouldBe(milliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("S")]
    [InlineData("-5S")]
    [InlineData("+5S")]
    [InlineData("123456789S")]
    [InlineData("5x")]
    [InlineData("5 S")]
    public void Timeout_OfAnotherForm_IsNone(string text) => GrpcTimeout.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Timeout_Overlong_DoesNotOverflow()
    {
        GrpcTimeout.TryParse("99999999H", out var timeout).ShouldBeTrue();
        timeout.ShouldBeGreaterThan(TimeSpan.FromDays(4_000_000));
    }

    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("100% sure", "100%25 sure")]
    [InlineData("größer\n", "gr%C3%B6%C3%9Fer%0A")]
    public void StatusText_Encoded_IsAsciiAndComesBack(string text, string encoded)
    {
        GrpcStatusText.Encode(text).ShouldBe(encoded);
        GrpcStatusText.Decode(encoded).ShouldBe(text);
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz", "%zz")]
    [InlineData(null, "")]
    public void StatusText_OfAnotherForm_StaysAsItIs(string? value, string expected) => GrpcStatusText.Decode(value).ShouldBe(expected);

    [Fact]
    public void Frame_Compressed_IsRefused() =>
        Should.Throw<GrpcStatusException>(() => GrpcFrame.ReadPrefix([1, 0, 0, 0, 1], 100)).Status.Code.ShouldBe(GrpcStatusCode.Unimplemented);

    [Fact]
    public void Frame_OfMoreThanAllowed_IsRefused() =>
        Should.Throw<GrpcStatusException>(() => GrpcFrame.ReadPrefix([0, 0xFF, 0xFF, 0xFF, 0xFF], 100)).Status.Code.ShouldBe(GrpcStatusCode.ResourceExhausted);

    [Fact]
    public void Metadata_OfBytes_ComesBack()
    {
        var metadata = new GrpcMetadata();
        metadata.Add("Trace-Bin", [1, 2, 250, 255]);

        metadata.Get("trace-bin").ShouldBe("AQL6/w");
        metadata.GetBytes("trace-bin").ShouldBe([1, 2, 250, 255]);
    }

    [Theory]
    [InlineData(401, GrpcStatusCode.Unauthenticated)]
    [InlineData(404, GrpcStatusCode.Unimplemented)]
    [InlineData(503, GrpcStatusCode.Unavailable)]
    [InlineData(500, GrpcStatusCode.Unknown)]
    public void HttpStatus_OfAnAnswerThatIsNone_StandsForACode(int status, GrpcStatusCode code) => GrpcStatus.FromHttp(status).ShouldBe(code);
}
