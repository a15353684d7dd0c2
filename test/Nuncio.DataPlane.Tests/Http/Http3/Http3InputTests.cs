using System.Text;
using Nuncio.DataPlane.Http.Http3;

namespace Nuncio.DataPlane.Tests.Http.Http3;

public sealed class Http3InputTests
{
    private readonly MemoryQuicStream _stream = new(0);
    private readonly Http3Input _input;

    public Http3InputTests() => _input = new Http3Input(_stream);

    [Fact]
    public async Task Frames_ByteByByte_AreReadWhole()
    {
        byte[] bytes = [.. Http3Bytes.Frame(0x4242, "abc"u8), .. Http3Bytes.Frame(1, new byte[70_000])];
        var reading = ReadAsync();
        foreach (var b in bytes.Take(200)) await _stream.SendAsync(new[] { b });
        await _stream.SendAsync(bytes.AsMemory(200));

        await reading.WaitAsync(Until.Limit);

        async Task ReadAsync()
        {
            (await _input.ReadFrameHeaderAsync()).ShouldBe((Http3InputOutcome.Read, 0x4242, 3));
            (await _input.ReadAllAsync(3, 3)).ShouldBe(Http3InputOutcome.Read);
            Encoding.ASCII.GetString(_input.Buffered.Span[..3]).ShouldBe("abc");
            _input.Consume(3);
            (await _input.ReadFrameHeaderAsync()).ShouldBe((Http3InputOutcome.Read, 1, 70_000));
            (await _input.ReadAllAsync(70_000, 70_000)).ShouldBe(Http3InputOutcome.Read);
            _input.Buffered.Length.ShouldBe(70_000);
            _input.Buffered.Span.ContainsAnyExcept((byte)0).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task ReadAll_MoreThanMayBe_IsTooLargeBeforeAnythingIsRead()
    {
        await _stream.SendAsync(new byte[100]);

        (await _input.ReadAllAsync(101, 100)).ShouldBe(Http3InputOutcome.TooLarge);
        (await _input.ReadAllAsync(long.MaxValue, 100)).ShouldBe(Http3InputOutcome.TooLarge);

        _stream.Inbound.Read.ShouldBe(0);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("41", true)]
    [InlineData("01", true)]
    [InlineData("0180", true)]
    public async Task FrameHeader_WhereTheStreamEnds_SaysWhetherItWasInTheMiddle(string hex, bool isTruncated)
    {
        await _stream.SendAsync(Convert.FromHexString(hex), end: true);

        (await _input.ReadFrameHeaderAsync().AsTask().WaitAsync(Until.Limit)).Outcome.ShouldBe(Http3InputOutcome.Ended);

        _input.IsTruncated.ShouldBe(isTruncated);
    }

    [Fact]
    public async Task Payload_ThatEndsEarly_IsTruncated()
    {
        await _stream.SendAsync("ab"u8.ToArray(), end: true);

        (await _input.ReadAllAsync(3, 10)).ShouldBe(Http3InputOutcome.Ended);

        _input.IsTruncated.ShouldBeTrue();
    }

    [Fact]
    public async Task Skip_MoreThanABuffer_GoesPastItAndNoFurther()
    {
        var sending = _stream.SendAsync((byte[])[.. new byte[100_000], 7]);

        (await _input.SkipAsync(100_000)).ShouldBe(Http3InputOutcome.Read);
        (await _input.ReadIntegerAsync()).ShouldBe((Http3InputOutcome.Read, 7));
        await sending;
        await _stream.SendAsync("a"u8.ToArray(), end: true);
        (await _input.SkipAsync(2)).ShouldBe(Http3InputOutcome.Ended);

        _input.IsTruncated.ShouldBeTrue();
    }

    [Fact]
    public async Task AtEnd_OnlyOnceEverythingIsConsumed()
    {
        await _stream.SendAsync("ab"u8.ToArray(), end: true);
        (await _input.FillAsync()).ShouldBe(Http3InputOutcome.Read);
        _input.IsAtEnd.ShouldBeFalse();

        _input.Consume(2);

        _input.IsAtEnd.ShouldBeTrue();
        (await _input.FillAsync()).ShouldBe(Http3InputOutcome.Ended);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_OfAStreamThatIsResetOrGivenUp_Fails(bool byPeer)
    {
        var reading = _input.FillAsync().AsTask();
        reading.IsCompleted.ShouldBeFalse();
        if (byPeer) _stream.ResetByPeer();
        else _stream.AbortRead(0);

        (await reading.WaitAsync(Until.Limit)).ShouldBe(Http3InputOutcome.Failed);
        (await _input.FillAsync()).ShouldBe(Http3InputOutcome.Failed);
    }

    [Fact]
    public async Task Release_WithBytesLeft_ForgetsThem()
    {
        await _stream.SendAsync(new byte[10]);
        await _input.FillAsync();

        _input.Release();
        _input.Release();

        _input.Buffered.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task Release_WhileAReadIsUnderWay_LeavesTheBufferToIt()
    {
        await _stream.SendAsync(new byte[1]);
        await _input.FillAsync();
        var reading = _input.ReadAllAsync(2, 2).AsTask();

        _input.Release();
        await _stream.SendAsync(new byte[1]);

        (await reading.WaitAsync(Until.Limit)).ShouldBe(Http3InputOutcome.Read);
        _input.Buffered.Length.ShouldBe(2);
    }
}
