using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>The streams that concern the connection: RFC 9114 sections 6.2 and 7.2, RFC 9204 section 4.</summary>
public sealed class Http3ControlTests
{
    public static TheoryData<string, byte[], long> BrokenControlStreams => new()
    {
        { "no SETTINGS first", Http3Bytes.Frame(Http3FrameType.GoAway, 0), (long)Http3ErrorCode.MissingSettings },
        { "an unknown frame first", Http3Bytes.Frame(Http3Bytes.Grease), (long)Http3ErrorCode.MissingSettings },
        { "SETTINGS twice", [.. Http3Bytes.Settings(), .. Http3Bytes.Settings()], (long)Http3ErrorCode.FrameUnexpected },
        { "a reserved setting", Http3Bytes.Settings((2, 1)), (long)Http3ErrorCode.SettingsError },
        { "a reserved setting", Http3Bytes.Settings((0, 1)), (long)Http3ErrorCode.SettingsError },
        { "a reserved setting", Http3Bytes.Settings((3, 1)), (long)Http3ErrorCode.SettingsError },
        { "a reserved setting", Http3Bytes.Settings((4, 1)), (long)Http3ErrorCode.SettingsError },
        { "a reserved setting", Http3Bytes.Settings((5, 1)), (long)Http3ErrorCode.SettingsError },
        { "a setting twice", Http3Bytes.Settings((6, 1), (1, 1), (6, 1)), (long)Http3ErrorCode.SettingsError },
        { "an unknown setting twice", Http3Bytes.Settings((0x4321, 1), (0x4321, 1)), (long)Http3ErrorCode.SettingsError },
        { "extended CONNECT neither on nor off", Http3Bytes.Settings((8, 2)), (long)Http3ErrorCode.SettingsError },
        { "a setting without its value", Http3Bytes.Frame(Http3FrameType.Settings, 6), (long)Http3ErrorCode.FrameError },
        { "half a setting", Http3Bytes.Frame(Http3FrameType.Settings, 6, 0x40), (long)Http3ErrorCode.FrameError },
        { "half a setting's name", Http3Bytes.Frame(Http3FrameType.Settings, 6, 1, 0x80), (long)Http3ErrorCode.FrameError },
        { "too long", Http3Bytes.Frame(Http3FrameType.Settings, new byte[5000]), (long)Http3ErrorCode.ExcessiveLoad },
        { "DATA", [.. Http3Bytes.Settings(), .. Http3Bytes.Data("a")], (long)Http3ErrorCode.FrameUnexpected },
        { "HEADERS", [.. Http3Bytes.Settings(), .. Http3Bytes.Get()], (long)Http3ErrorCode.FrameUnexpected },
        { "PUSH_PROMISE", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(5, 0)], (long)Http3ErrorCode.FrameUnexpected },
        { "a frame of HTTP/2", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(2)], (long)Http3ErrorCode.FrameUnexpected },
        { "a frame of HTTP/2", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(6)], (long)Http3ErrorCode.FrameUnexpected },
        { "a frame of HTTP/2", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(8)], (long)Http3ErrorCode.FrameUnexpected },
        { "a frame of HTTP/2", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(9)], (long)Http3ErrorCode.FrameUnexpected },
        { "GOAWAY without a number", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(7)], (long)Http3ErrorCode.FrameError },
        { "GOAWAY with half a number", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(7, 0x40)], (long)Http3ErrorCode.FrameError },
        { "GOAWAY with more than a number", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(7, 0, 0)], (long)Http3ErrorCode.FrameError },
        { "GOAWAY much too long", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(7, new byte[9])], (long)Http3ErrorCode.FrameError },
        { "GOAWAY that grows", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(7, 4), .. Http3Bytes.Frame(7, 5)], (long)Http3ErrorCode.IdError },
        { "MAX_PUSH_ID that shrinks", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(13, 4), .. Http3Bytes.Frame(13, 3)], (long)Http3ErrorCode.IdError },
        { "CANCEL_PUSH of what was never promised", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(3, 0)], (long)Http3ErrorCode.IdError },
        { "CANCEL_PUSH without a number", [.. Http3Bytes.Settings(), .. Http3Bytes.Frame(3)], (long)Http3ErrorCode.FrameError },
    };

    [Theory]
    [MemberData(nameof(BrokenControlStreams))]
    public async Task ControlStream_ThatBreaksARule_EndsTheConnection(string what, byte[] bytes, long error)
    {
        foreach (var isCut in new[] { false, true })
        {
            var server = new Http3ServerFixture();
            var stream = server.Transport.OpenUnidirectional();
            byte[] all = [.. Http3Bytes.Integer(Http3StreamType.Control), .. bytes];
            if (isCut)
            {
                foreach (var b in all.Take(all.Length - 1).Take(50)) await stream.SendAsync(new[] { b });
                all = all[Math.Min(all.Length - 1, 50)..];
            }

            await stream.SendAsync(all);

            (await server.ClosedAsync()).ShouldBe((Http3ErrorCode)error, what);
            server.Connection.IsFailed.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task ControlStream_WithAllThatMayCome_IsTaken()
    {
        var server = new Http3ServerFixture();
        var stream = await server.Peer.StartAsync((1, 4096), (6, 65_536), (7, 100), (8, 1), (0x33, 1), (Http3Bytes.Grease, 1L << 61));
        await stream.SendAsync((byte[])
        [
            .. Http3Bytes.Frame(Http3Bytes.Grease, new byte[30_000]), .. Http3Bytes.Frame(Http3FrameType.MaxPushId, 4), .. Http3Bytes.Frame(Http3FrameType.MaxPushId, 4),
            .. Http3Bytes.Frame(Http3FrameType.GoAway, 0x40, 8), .. Http3Bytes.Frame(Http3FrameType.GoAway, 8), .. Http3Bytes.Frame(0x0F0700, "priority"u8),
            .. Http3Bytes.Frame(Http3FrameType.GoAway, 0),
        ]);

        await server.ShouldServeAsync();
        await Until.TrueAsync(() => stream.Inbound.Read == stream.Inbound.Written);
        await server.ShouldServeAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task CriticalStream_OfWhichThereIsOneAlready_IsRefused(long type)
    {
        var server = new Http3ServerFixture();
        byte[] bytes = type == 0 ? [0, .. Http3Bytes.Settings()] : [(byte)type];
        await server.Peer.UnidirectionalAsync(bytes);
        await server.Peer.UnidirectionalAsync(bytes);

        (await server.ClosedAsync()).ShouldBe(Http3ErrorCode.StreamCreationError);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(0, false)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public async Task CriticalStream_ThatEndsOrIsReset_EndsTheConnection(long type, bool isReset)
    {
        var server = new Http3ServerFixture();
        byte[] bytes = type == 0 ? [0, .. Http3Bytes.Settings()] : [(byte)type];
        var stream = await server.Peer.UnidirectionalAsync(bytes);
        await Until.TrueAsync(() => stream.Inbound.Read == bytes.Length);
        await server.ShouldServeAsync();
        if (isReset) stream.ResetByPeer();
        else await stream.SendAsync(default, end: true);

        (await server.ClosedAsync()).ShouldBe(Http3ErrorCode.ClosedCriticalStream);
    }

    [Fact]
    public async Task ControlStream_ThatEndsInAFrame_EndsTheConnection()
    {
        foreach (var length in new[] { 1, 2, 3, 4, 5 })
        {
            var server = new Http3ServerFixture();
            byte[] bytes = [0, .. Http3Bytes.Settings((6, 100)), .. Http3Bytes.Frame(Http3FrameType.GoAway, 1)];
            await server.Peer.UnidirectionalAsync(bytes.AsMemory(0, length), end: true);

            (await server.ClosedAsync()).ShouldBeOneOf(Http3ErrorCode.ClosedCriticalStream, Http3ErrorCode.FrameError);
        }
    }

    [Fact]
    public async Task PushStream_FromAClient_EndsTheConnection()
    {
        var server = new Http3ServerFixture();
        await server.Peer.UnidirectionalAsync(Http3Bytes.Integer(Http3StreamType.Push));

        (await server.ClosedAsync()).ShouldBe(Http3ErrorCode.StreamCreationError);
    }

    [Theory]
    [InlineData(Http3Bytes.Grease)]
    [InlineData(0x54)]
    [InlineData(QuicInteger.MaxValue)]
    public async Task UnidirectionalStream_OfAnUnknownType_IsGivenUpAndNothingElse(long type)
    {
        var server = new Http3ServerFixture();
        var stream = await server.Peer.UnidirectionalAsync((byte[])[.. Http3Bytes.Integer(type), 1, 2, 3]);

        await Until.TrueAsync(() => stream.IsClosed);

        stream.Inbound.StopCode.ShouldBe((long)Http3ErrorCode.StreamCreationError);
        await server.ShouldServeAsync();
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("40", false)]
    [InlineData("40", true)]
    public async Task UnidirectionalStream_ThatEndsBeforeItsType_IsForgotten(string hex, bool isReset)
    {
        var server = new Http3ServerFixture();
        var stream = await server.Peer.UnidirectionalAsync(Convert.FromHexString(hex), end: !isReset);
        if (isReset) stream.ResetByPeer();

        await Until.TrueAsync(() => stream.IsClosed);

        await server.ShouldServeAsync();
    }

    [Theory]
    [InlineData(2, "20", null)] // a capacity of 0
    [InlineData(2, "2020", null)]
    [InlineData(2, "21", 0x201L)] // a capacity of 1
    [InlineData(2, "3fe11f", 0x201L)] // one of 4096
    [InlineData(2, "c00161", 0x201L)] // insert with a static name
    [InlineData(2, "4161", 0x201L)] // insert with a literal name
    [InlineData(2, "00", 0x201L)] // duplicate
    [InlineData(2, "2000", 0x201L)]
    [InlineData(3, "40", null)] // the cancellation of a stream
    [InlineData(3, "447f00", null)]
    [InlineData(3, "7fffffffffffffffffff01", null)]
    [InlineData(3, "7f", null)] // half of one
    [InlineData(3, "7fffffffffffffffffffffff01", 0x202L)] // one of a number that no stream has
    [InlineData(3, "80", 0x202L)] // the acknowledgement of a section
    [InlineData(3, "00", 0x202L)] // an increment of 0
    [InlineData(3, "01", 0x202L)] // an increment without an insertion
    [InlineData(3, "4081", 0x202L)]
    public async Task QpackStream_MaySayWhatNeedsNoTable(long type, string hex, long? error)
    {
        foreach (var isCut in new[] { false, true })
        {
            var server = new Http3ServerFixture();
            var bytes = Convert.FromHexString(hex);
            var stream = await server.Peer.UnidirectionalAsync((byte[])[(byte)type, .. isCut ? [] : bytes]);
            if (isCut)
            {
                foreach (var b in bytes) await stream.SendAsync(new[] { b });
            }

            if (error is { } code)
            {
                (await server.ClosedAsync()).ShouldBe((Http3ErrorCode)code);
            }
            else
            {
                await Until.TrueAsync(() => stream.Inbound.Read == stream.Inbound.Written);
                await server.ShouldServeAsync();
            }
        }
    }

    [Fact]
    public async Task OurControlStream_BeginsWithSettings()
    {
        var server = new Http3ServerFixture(options: new Http3Options { MaxHeaderBytes = 1234, AllowExtendedConnect = true });

        var settings = (await server.Peer.ReadControlAsync())!;

        settings.Type.ShouldBe(Http3FrameType.Settings);
        settings.Payload.ShouldBe([6, .. Http3Bytes.Integer(1234), 8, 1]);
    }

    [Fact]
    public async Task OurControlStream_WithoutExtendedConnect_DoesNotOfferIt()
    {
        var server = new Http3ServerFixture();

        (await server.Peer.ReadControlAsync())!.Payload.ShouldBe([6, .. Http3Bytes.Integer(60 * 1024)]);
    }

    [Fact]
    public async Task OurControlStream_ThatTheClientWantsNoMore_DoesNotHinderRequests()
    {
        var server = new Http3ServerFixture();
        var stream = await server.Transport.OpenedAsync();
        stream.StopByPeer();
        server.Connection.AnnounceEnd();

        await server.ShouldServeAsync();
    }

    [Fact]
    public async Task OurControlStream_ThatMayBeOpenedLate_SaysThenWhatThereIsToSay()
    {
        var allowed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = new Http3ServerFixture(mayOpen: allowed.Task);
        await server.ShouldServeAsync();
        server.Connection.AnnounceEnd();
        allowed.SetResult();

        (await server.Peer.ReadControlAsync())!.Type.ShouldBe(Http3FrameType.Settings);
        (await server.Peer.ReadGoAwayAsync()).ShouldBe(Http3ControlStream.NoLimit);
    }
}
