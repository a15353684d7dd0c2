using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Http.Http3.Qpack;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.Testing.Fuzzing;
using Xunit.Abstractions;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>
/// Random and mutated bytes on streams of every kind: whatever comes, the connection ends when its client does, with nothing left open.
/// NUNCIO_FUZZ_INPUTS says how many streams (default 20,000), NUNCIO_FUZZ_SEED where the random numbers start; a failure names the seed of its connection.
/// </summary>
[Collection(FuzzCollection.Name)]
public sealed class Http3FuzzTests(ITestOutputHelper output)
{
    private const int StreamsPerConnection = 10;

    private static readonly byte[][] Sections =
    [
        Http3Bytes.Section((":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/")),
        Http3Bytes.Section((":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/a"), ("content-length", "4")),
        Http3Bytes.Section((":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("user-agent", "something of some length"), ("x_u", "1")),
        Http3Bytes.Section((":method", "CONNECT"), (":authority", "a:1")),
        Http3Bytes.Section((":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "a"), (":path", "/")),
        Http3Bytes.Section(("x-trailer", "1"), ("x-own-trailer", "text of some length")),
        [0, 0, 0x80],
        [0, 0],
        [],
    ];

    private static readonly byte[][] QpackInstructions = [[0x20], [0x40], [0x7F, 0x80, 0x01], [0x3F, 0xE1, 0x1F], [0x80], [0x00], [0xC0, 0x01, 0x61]];

    [Fact]
    public async Task Server_GivenRandomStreams_NeitherFailsNorHangsNorGrows()
    {
        var connections = FuzzSettings.Inputs(20_000) / StreamsPerConnection;
        var first = FuzzSettings.Seed;
        var before = 0L;
        for (var i = 0; i < Math.Max(connections, 1); i++)
        {
            if (i == connections / 10) before = GC.GetTotalMemory(true);
            try
            {
                await FuzzAsync(first + i);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {first + i} failed", e);
            }
        }

        var growth = GC.GetTotalMemory(true) - before;
        output.WriteLine($"{connections} connections, {connections * StreamsPerConnection} streams, {growth} bytes more than after a tenth of them");
        growth.ShouldBeLessThan(32L << 20);
    }

    [Fact]
    public void Decoder_GivenRandomSections_FailsCleanlyAndKeepsToItsLimits()
    {
        var random = new Random(FuzzSettings.Seed);
        var headers = new HeaderMap();
        var reader = new Http2HeaderReader(8192, 50);
        var inputs = FuzzSettings.Inputs(40_000);
        for (var i = inputs; i > 0; i--)
        {
            var section = new List<byte>(Sections[random.Next(Sections.Length)]);
            for (var parts = random.Next(0, 5); parts > 0; parts--)
            {
                section.AddRange(Sections[random.Next(Sections.Length)].Skip(2));
                for (var bytes = random.Next(0, 20); bytes > 0 && random.Next(3) == 0; bytes--) section.Add((byte)random.Next(256));
            }

            var input = random.Next(2) == 0 ? Mutations.Apply(random, section.ToArray(), 4) : section.ToArray();
            headers.Clear();
            reader.Start(headers, (Http2BlockKind)random.Next(3));
            QpackDecoder.Decode(input, reader);
            reader.Finish(true);
            headers.ByteSize.ShouldBeLessThanOrEqualTo(8192 + 100);
        }

        output.WriteLine($"{inputs} sections");
    }

    private static byte[] RandomStream(Random random, out bool isBidirectional)
    {
        isBidirectional = random.Next(4) > 0;
        var bytes = new List<byte>();
        if (isBidirectional)
        {
            if (random.Next(5) > 0) bytes.AddRange(Http3Bytes.Frame(Http3FrameType.Headers, Sections[random.Next(Sections.Length)]));
            for (var frames = random.Next(0, 6); frames > 0; frames--) bytes.AddRange(RandomFrame(random));
        }
        else
        {
            var type = random.Next(3) == 0 ? random.Next(0, 70) : random.Next(0, 4);
            bytes.AddRange(Http3Bytes.Integer(type));
            if (type == Http3StreamType.Control)
            {
                if (random.Next(8) > 0) bytes.AddRange(Http3Bytes.Settings((random.Next(0, 9), random.Next(0, 3)), (random.Next(20, 1 << 20), random.Next())));
                for (var frames = random.Next(0, 4); frames > 0; frames--) bytes.AddRange(RandomFrame(random));
            }
            else
            {
                for (var parts = random.Next(0, 4); parts > 0; parts--) bytes.AddRange(QpackInstructions[random.Next(QpackInstructions.Length)]);
            }
        }

        return random.Next(3) == 0 ? Mutations.Apply(random, bytes.ToArray(), 3) : [.. bytes];
    }

    private static byte[] RandomFrame(Random random)
    {
        switch (random.Next(12))
        {
            case < 5:
                return Http3Bytes.Data(new byte[random.Next(6) == 0 ? random.Next(40_000) : random.Next(6)]);
            case < 7:
                return Http3Bytes.Frame(Http3FrameType.Headers, Sections[random.Next(Sections.Length)]);
            case 7:
                return Http3Bytes.Frame(random.Next(0, 16), new byte[random.Next(0, 10)]);
            case 8:
                return Http3Bytes.Frame(Http3FrameType.GoAway, Http3Bytes.Integer(random.Next(100)));
            default:
                var payload = new byte[random.Next(40)];
                random.NextBytes(payload);
                return Http3Bytes.Frame(Http3Bytes.Grease + (0x1F * random.Next(100)), payload);
        }
    }

    private static async Task FuzzAsync(int seed)
    {
        var random = new Random(seed);
        var options = new Http3Options
        {
            StreamErrorOnInvalidHttpMessage = random.Next(2) == 0, AllowExtendedConnect = random.Next(2) == 0, MaxHeaderBytes = 8192,
            UnderscoreAction = (HeaderUnderscoreAction)random.Next(3),
        };
        var begun = 0;
        var ended = 0;
        var server = new Http3ServerFixture(
            new RecordingProcessor(async stream =>
            {
                Interlocked.Increment(ref begun);
                try
                {
                    await AnswerAsync(stream);
                }
                finally
                {
                    Interlocked.Increment(ref ended);
                }
            }),
            options, maxConcurrentStreams: 5);
        var streams = new List<MemoryQuicStream>();
        for (var i = 0; i < StreamsPerConnection; i++)
        {
            var bytes = RandomStream(random, out var isBidirectional);
            var stream = isBidirectional ? server.Transport.Open() : server.Transport.OpenUnidirectional();
            streams.Add(stream);
            if (random.Next(4) == 0) stream.Outbound.Window = 5000;
            for (var at = 0; at < bytes.Length;)
            {
                var length = Math.Min(bytes.Length - at, random.Next(3) == 0 ? random.Next(1, 30) : random.Next(1, 4000));
                await stream.SendAsync(bytes.AsMemory(at, length), at + length == bytes.Length && isBidirectional && random.Next(8) > 0);
                at += length;
                if (random.Next(4) == 0) await Task.Yield();
            }

            switch (random.Next(20))
            {
                case 0:
                    stream.ResetByPeer();
                    break;
                case 1:
                    stream.StopByPeer();
                    break;
                case 2:
                    server.Connection.Drain();
                    break;
                case 3:
                    server.Time.Advance(TimeSpan.FromSeconds(1));
                    break;
            }
        }

        server.Transport.EndByPeer();
        await server.Run.WaitAsync(Until.Limit);
        if (streams.Exists(IsOpen)) await Until.TrueAsync(() => !streams.Exists(IsOpen));
        ended.ShouldBe(begun);
        server.Time.ArmedTimers.ShouldBe(0);

        // One that came after the end of the connection was never given to the proxy.
        bool IsOpen(MemoryQuicStream stream) => stream.IsAccepted && !stream.IsClosed;
    }

    private static async Task AnswerAsync(HttpServerStream stream)
    {
        switch (stream.RequestHeaders.Count % 3)
        {
            case 0:
                await ScriptedProcessor.EchoAsync(stream);
                break;
            case 1:
                await Task.Yield();
                await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
                await stream.WriteBodyAsync(new byte[30_000], true);
                break;
            default:
                stream.StopReading();
                await stream.WriteHeadersAsync(ScriptedProcessor.Head(204), true);
                break;
        }
    }
}
