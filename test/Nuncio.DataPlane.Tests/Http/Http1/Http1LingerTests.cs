using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;

namespace Nuncio.DataPlane.Tests.Http.Http1;

/// <summary>An answer before the request's end reaches a client that goes on sending: closing with unread bytes would be a reset, which takes it back.</summary>
public sealed class Http1LingerTests
{
    private const string Post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n";
    private static readonly TimeSpan Pause = Http1ServerOptions.Default.DelayedCloseTimeout;

    /// <summary>How the request's body is treated before the answer.</summary>
    public enum Body
    {
        NotRead,
        ReadInPart,
        Stopped,
        StoppedInARead,
    }

    [Theory]
    [InlineData(Body.NotRead)]
    [InlineData(Body.ReadInPart)]
    [InlineData(Body.Stopped)]
    [InlineData(Body.StoppedInARead)]
    public async Task RestOfTheRequest_IsThrownAway(Body body)
    {
        await using var fixture = new Http1Fixture(stream => AnswerAsync(stream, body), time: new ManualTimeProvider());

        await fixture.SendAsync(Post + "begin");
        (await fixture.ReceiveAllAsync()).ShouldEndWith("connection: close\r\n\r\nenough");
        for (var i = 0; i < 3; i++)
        {
            await fixture.SendAsync(new byte[1_000_000]);
        }

        await fixture.EndAsync();
        await fixture.Running.WaitAsync(Until.Limit);
        fixture.Server.BytesRead.ShouldBe(Post.Length + "begin".Length + 3_000_000);
    }

    [Fact]
    public async Task NextRequest_OfAConnectionThatWeEnd_IsThrownAway()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var fixture = new Http1Fixture(
            async stream =>
            {
                await go.Task.WaitAsync(Until.Limit);
                await Http1Fixture.RespondAsync(stream, "last");
            },
            time: new ManualTimeProvider());

        await fixture.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await Until.TrueAsync(() => fixture.Processor.Seen.Count == 1);
        fixture.Connection.Drain();
        go.SetResult();
        (await fixture.ReceiveAllAsync()).ShouldEndWith("last");
        fixture.Running.IsCompleted.ShouldBeFalse();
        await fixture.SendAsync(new byte[100_000]);
        await fixture.EndAsync();
        await fixture.Running.WaitAsync(Until.Limit);

        fixture.Server.BytesRead.ShouldBeGreaterThan(100_000);
        fixture.Processor.Seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task ClientThatWantedTheEnd_IsNotWaitedFor()
    {
        await using var fixture = new Http1Fixture(time: new ManualTimeProvider());

        await fixture.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        await fixture.Running.WaitAsync(Until.Limit);
        (await fixture.ReceiveAllAsync()).ShouldEndWith("ok");
    }

    [Fact]
    public async Task AnswerThatBreaksOff_ArrivesAsFarAsItCame()
    {
        await using var fixture = new Http1Fixture(
            static async stream =>
            {
                var headers = new HeaderMap { Status = 200 };
                headers.Add(KnownHeader.ContentLength, "10"u8);
                await stream.WriteHeadersAsync(headers, false);
                await stream.WriteBodyAsync("part"u8.ToArray(), false);
                await stream.FlushAsync();
                stream.Reset(StreamResetReason.ConnectionTermination);
            },
            time: new ManualTimeProvider());

        await fixture.SendAsync(Post);
        (await fixture.ReceiveAllAsync()).ShouldEndWith("\r\n\r\npart");
        await fixture.SendAsync(new byte[1_000_000]);
        await fixture.EndAsync();
        await fixture.Running.WaitAsync(Until.Limit);

        fixture.Server.BytesRead.ShouldBe(Post.Length + 1_000_000);
    }

    [Fact]
    public async Task ClientThatNeitherSendsNorLeaves_IsLeft()
    {
        var time = new ManualTimeProvider();
        await using var fixture = new Http1Fixture(static stream => AnswerAsync(stream, Body.NotRead), time: time);

        await fixture.SendAsync(Post);
        (await fixture.ReceiveAllAsync()).ShouldEndWith("enough");
        fixture.Running.IsCompleted.ShouldBeFalse();

        await PassAsync(fixture, time, Pause * 2);
    }

    [Fact]
    public async Task ClientThatNeverStopsSending_IsLeft()
    {
        var time = new ManualTimeProvider();
        await using var fixture = new Http1Fixture(static stream => AnswerAsync(stream, Body.StoppedInARead), time: time);

        await fixture.SendAsync(Post);
        (await fixture.ReceiveAllAsync()).ShouldEndWith("enough");

        // Never a pause of that length, since the server reads in between: what ends it is the limit of the whole.
        var passed = TimeSpan.Zero;
        for (var i = 0; i < 100 && !fixture.Running.IsCompleted; i++)
        {
            var before = fixture.Server.BytesRead;
            await fixture.SendAsync(new byte[1000]);
            await Until.TrueAsync(() => fixture.Server.BytesRead > before || fixture.Running.IsCompleted);
            time.Advance(Pause / 4);
            passed += Pause / 4;
        }

        fixture.Running.IsCompleted.ShouldBeTrue();
        passed.ShouldBeGreaterThan(Pause * 2);
    }

    [Fact]
    public async Task MoreThanCanHaveBeenOnTheWay_IsNotRead()
    {
        const int Size = 4 * 1024 * 1024;
        const int Limit = 64 * 1024 * 1024;
        var time = new ManualTimeProvider();
        await using var fixture = new Http1Fixture(static stream => AnswerAsync(stream, Body.NotRead), time: time);

        await fixture.SendAsync(Post);
        (await fixture.ReceiveAllAsync()).ShouldEndWith("enough");
        var piece = new byte[Size];
        for (var sent = 0L; sent < Limit + (2 * Size); sent += Size)
        {
            var before = Math.Min(sent, Limit);
            await Until.TrueAsync(() => fixture.Server.BytesRead >= before);
            await fixture.SendAsync(piece);
        }

        await Until.TrueAsync(() => fixture.Server.BytesRead >= Limit);
        await PassAsync(fixture, time, Pause * 2);
        fixture.Server.BytesRead.ShouldBeLessThan(Limit + Size);
    }

    private static async Task PassAsync(Http1Fixture fixture, ManualTimeProvider time, TimeSpan step)
    {
        await Until.TrueAsync(() =>
        {
            time.Advance(step);
            return fixture.Running.IsCompleted;
        });
    }

    private static async Task AnswerAsync(HttpServerStream stream, Body body)
    {
        switch (body)
        {
            case Body.ReadInPart:
                (await stream.ReadBodyAsync()).Error.ShouldBe(StreamResetReason.None);
                break;
            case Body.Stopped:
                stream.StopReading();
                break;
            case Body.StoppedInARead:
                ValueTask<BodyRead> reading;
                do
                {
                    reading = stream.ReadBodyAsync();
                }
                while (reading.IsCompleted);
                stream.StopReading();
                (await reading).Error.ShouldBe(StreamResetReason.LocalReset);
                break;
        }

        await Http1Fixture.RespondAsync(stream, "enough");
    }
}
