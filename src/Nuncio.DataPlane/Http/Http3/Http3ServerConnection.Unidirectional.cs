using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Http.Http3;

/// <summary>The streams on which a client says what concerns the connection.</summary>
internal sealed partial class Http3ServerConnection : IQuicStreamWatcher
{
    // Settings are a few small numbers; what is longer is an attempt at something.
    private const int MaxControlFrame = 4 * 1024;

    private readonly Http3ControlStream _control;
    private int _seenStreams;

    void IQuicStreamWatcher.OnStreamAborted(bool isConnectionLost)
    {
        if (!isConnectionLost)
        {
            Fail(Http3ErrorCode.ClosedCriticalStream);
        }
    }

    private async Task ReadUnidirectionalAsync(QuicTransportStream stream)
    {
        var input = new Http3Input(stream);
        var (outcome, type) = await input.ReadIntegerAsync();
        if (outcome == Http3InputOutcome.Read)
        {
            switch (type)
            {
                case Http3StreamType.Control or Http3StreamType.QpackEncoder or Http3StreamType.QpackDecoder:
                    await ReadCriticalAsync(stream, input, type);
                    break;
                case Http3StreamType.Push:
                    // Only servers push.
                    Fail(Http3ErrorCode.StreamCreationError);
                    break;
                default:
                    // An unknown type means nothing (section 6.2).
                    stream.AbortRead((long)Http3ErrorCode.StreamCreationError);
                    break;
            }
        }

        await stream.CloseAsync();
        input.Release();
    }

    // There is one of each, for as long as the connection. When that has ended so have they, and nothing is wrong.
    private async ValueTask ReadCriticalAsync(QuicTransportStream stream, Http3Input input, long type)
    {
        var bit = 1 << (int)type;
        if ((Interlocked.Or(ref _seenStreams, bit) & bit) != 0)
        {
            Fail(Http3ErrorCode.StreamCreationError);
            return;
        }

        stream.Watch(this);
        var error = type switch
        {
            Http3StreamType.Control => await ReadControlAsync(input),
            Http3StreamType.QpackEncoder => await ReadEncoderAsync(input),
            _ => await ReadDecoderAsync(input),
        };
        if (error is { } found)
        {
            Fail(found);
        }
    }

    private static Http3ErrorCode? ErrorOf(Http3InputOutcome outcome) => outcome switch
    {
        Http3InputOutcome.Ended => Http3ErrorCode.ClosedCriticalStream,
        Http3InputOutcome.TooLarge => Http3ErrorCode.ExcessiveLoad,
        _ => null,
    };

    private static async ValueTask<Http3ErrorCode?> ReadControlAsync(Http3Input input)
    {
        var hasSettings = false;
        var goAway = long.MaxValue;
        var maxPushId = -1L;
        while (true)
        {
            var (outcome, type, length) = await input.ReadFrameHeaderAsync();
            if (outcome != Http3InputOutcome.Read)
            {
                return ErrorOf(outcome);
            }

            if (!hasSettings)
            {
                if (type != Http3FrameType.Settings)
                {
                    return Http3ErrorCode.MissingSettings;
                }

                if (await input.ReadAllAsync(length, MaxControlFrame) is not Http3InputOutcome.Read and var settings)
                {
                    return ErrorOf(settings);
                }

                if (CheckSettings(input.Buffered.Span[..(int)length]) is { } wrong)
                {
                    return wrong;
                }

                input.Consume((int)length);
                hasSettings = true;
                continue;
            }

            if (Http3FrameType.IsReserved(type)
                || type is Http3FrameType.Settings or Http3FrameType.Data or Http3FrameType.Headers or Http3FrameType.PushPromise)
            {
                return Http3ErrorCode.FrameUnexpected;
            }

            if (type is Http3FrameType.GoAway or Http3FrameType.MaxPushId or Http3FrameType.CancelPush)
            {
                // One integer each. Nothing is pushed, and a client that goes away closes by itself when it has its answers.
                if (length is < 1 or > QuicInteger.MaxLength)
                {
                    return Http3ErrorCode.FrameError;
                }

                if (await input.ReadAllAsync(length, QuicInteger.MaxLength) is not Http3InputOutcome.Read and var number)
                {
                    return ErrorOf(number);
                }

                if (!QuicInteger.TryRead(input.Buffered.Span[..(int)length], out var id, out var read) || read != length)
                {
                    return Http3ErrorCode.FrameError;
                }

                // No push was ever promised, and what was said can only be made stricter or wider (sections 5.2 and 7.2.7).
                if (type == Http3FrameType.CancelPush || (type == Http3FrameType.GoAway ? id > goAway : id < maxPushId))
                {
                    return Http3ErrorCode.IdError;
                }

                if (type == Http3FrameType.GoAway)
                {
                    goAway = id;
                }
                else
                {
                    maxPushId = id;
                }

                input.Consume((int)length);
            }
            else if (await input.SkipAsync(length) is not Http3InputOutcome.Read and var skipped)
            {
                return ErrorOf(skipped);
            }
        }
    }

    private static Http3ErrorCode? CheckSettings(ReadOnlySpan<byte> settings)
    {
        Span<long> seen = stackalloc long[64];
        var count = 0;
        while (!settings.IsEmpty)
        {
            if (!QuicInteger.TryRead(settings, out var id, out var idLength) || !QuicInteger.TryRead(settings[idLength..], out var value, out var valueLength))
            {
                return Http3ErrorCode.FrameError;
            }

            settings = settings[(idLength + valueLength)..];
            if (Http3Setting.IsReserved(id) || (id == Http3Setting.EnableConnectProtocol && value > 1) || seen[..count].Contains(id) || count == seen.Length)
            {
                return Http3ErrorCode.SettingsError;
            }

            seen[count++] = id;
        }

        return null;
    }

    // Our SETTINGS allow no dynamic table: all that may be said is that its capacity is 0.
    private static async ValueTask<Http3ErrorCode?> ReadEncoderAsync(Http3Input input)
    {
        while (true)
        {
            // What came with the stream's type is there already.
            if (input.Buffered.Span.ContainsAnyExcept((byte)0x20))
            {
                return Http3ErrorCode.QpackEncoderStreamError;
            }

            input.Consume(input.Buffered.Length);
            if (await input.FillAsync() is not Http3InputOutcome.Read and var outcome)
            {
                return ErrorOf(outcome);
            }
        }
    }

    // Nothing was inserted, so nothing can be acknowledged; a cancelled stream (01xxxxxx, an integer) is no news.
    private static async ValueTask<Http3ErrorCode?> ReadDecoderAsync(Http3Input input)
    {
        while (true)
        {
            while (!input.Buffered.IsEmpty)
            {
                if ((input.Buffered.Span[0] & 0xC0) != 0x40)
                {
                    return Http3ErrorCode.QpackDecoderStreamError;
                }

                var length = LengthOfCancellation(input.Buffered.Span);
                if (length < 0)
                {
                    return Http3ErrorCode.QpackDecoderStreamError;
                }

                if (length == 0)
                {
                    break;
                }

                input.Consume(length);
            }

            if (await input.FillAsync() is not Http3InputOutcome.Read and var outcome)
            {
                return ErrorOf(outcome);
            }
        }
    }

    // 0 when it is not complete, negative when it can be no stream's number.
    private static int LengthOfCancellation(ReadOnlySpan<byte> bytes)
    {
        const int Longest = 11;
        if ((bytes[0] & 0x3F) < 0x3F)
        {
            return 1;
        }

        for (var i = 1; i < bytes.Length && i < Longest; i++)
        {
            if ((bytes[i] & 0x80) == 0)
            {
                return i + 1;
            }
        }

        return bytes.Length < Longest ? 0 : -1;
    }
}
