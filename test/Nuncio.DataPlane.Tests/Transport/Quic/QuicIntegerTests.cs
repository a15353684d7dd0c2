using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Tests.Transport.Quic;

public sealed class QuicIntegerTests
{
    // RFC 9000 appendix A.1.
    [Theory]
    [InlineData("c2197c5eff14e88c", 151_288_809_941_952_652)]
    [InlineData("9d7f3e7d", 494_878_333)]
    [InlineData("7bbd", 15_293)]
    [InlineData("25", 37)]
    [InlineData("4025", 37)]
    [InlineData("8000000000", 0)]
    [InlineData("ffffffffffffffff", QuicInteger.MaxValue)]
    public void TryRead_Integers_GivesTheirValues(string hex, long expected)
    {
        QuicInteger.TryRead(Convert.FromHexString(hex), out var value, out var length).ShouldBeTrue();

        value.ShouldBe(expected);
        length.ShouldBe(1 << (Convert.FromHexString(hex)[0] >> 6));
    }

    [Theory]
    [InlineData("")]
    [InlineData("40")]
    [InlineData("9d7f3e")]
    [InlineData("c2197c5eff14e8")]
    public void TryRead_PartsOfOne_WaitsForTheRest(string hex) => QuicInteger.TryRead(Convert.FromHexString(hex), out _, out _).ShouldBeFalse();

    [Theory]
    [InlineData(0, 1)]
    [InlineData(63, 1)]
    [InlineData(64, 2)]
    [InlineData(16_383, 2)]
    [InlineData(16_384, 4)]
    [InlineData((1 << 30) - 1, 4)]
    [InlineData(1 << 30, 8)]
    [InlineData(QuicInteger.MaxValue, 8)]
    public void Write_AtTheEdges_TakesAsFewBytesAsItNeedsAndComesBack(long value, int expected)
    {
        var space = new byte[QuicInteger.MaxLength];

        QuicInteger.Write(space, value).ShouldBe(expected);

        QuicInteger.TryRead(space, out var back, out var length).ShouldBeTrue();
        back.ShouldBe(value);
        length.ShouldBe(expected);
    }

    [Fact]
    public void WriteFour_AnyLength_ComesBack()
    {
        foreach (var value in new[] { 0, 1, 63, 64, 70_000, (1 << 30) - 1 })
        {
            var space = new byte[QuicInteger.FourBytes];
            QuicInteger.WriteFour(space, value);
            QuicInteger.TryRead(space, out var back, out var length).ShouldBeTrue();
            back.ShouldBe(value);
            length.ShouldBe(QuicInteger.FourBytes);
        }
    }
}
