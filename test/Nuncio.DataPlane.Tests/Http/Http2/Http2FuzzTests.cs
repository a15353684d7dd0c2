using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http2.Hpack;
using Nuncio.Testing.Fuzzing;
using Xunit.Abstractions;

namespace Nuncio.DataPlane.Tests.Http.Http2;

/// <summary>
/// Random and mutated frames against both sides: whatever comes, the connection ends when its peer does, with nothing left open. NUNCIO_FUZZ_INPUTS
/// says how many frames (default 40,000), NUNCIO_FUZZ_SEED where the random numbers start; a failure names the seed of its connection.
/// </summary>
[Collection(FuzzCollection.Name)]
public sealed class Http2FuzzTests(ITestOutputHelper output)
{
    private const int FramesPerConnection = 25;

    private static readonly byte[][] Blocks =
    [
        [0x82, 0x86, 0x84, 0x41, 0x01, 0x61],
        [0x83, 0x86, 0x84, 0x41, 0x01, 0x61],
        [0x88],
        [0x40, 0x01, 0x78, 0x01, 0x79],
        [0x82, 0x86, 0x84, 0x41, 0x01, 0x61, 0x0f, 0x0d, 0x01, 0x34],
        [0x3f, 0xe1, 0x1f],
        [0x20],
        [0xbe],
        [],
    ];

    [Fact]
    public Task Server_GivenRandomFrames_NeitherFailsNorHangsNorGrows() => RunAsync(true);

    [Fact]
    public Task Client_GivenRandomFrames_NeitherFailsNorHangsNorGrows() => RunAsync(false);

    [Fact]
    public void Decoder_GivenRandomBlocks_FailsCleanlyAndKeepsToItsLimits()
    {
        var random = new Random(FuzzSettings.Seed);
        var headers = new HeaderMap();
        var reader = new Http2HeaderReader(8192, 50);
        var decoder = new HpackDecoder(4096);
        var inputs = FuzzSettings.Inputs(40_000);
        for (var i = inputs; i > 0; i--)
        {
            var block = new List<byte>();
            for (var parts = random.Next(1, 8); parts > 0; parts--)
            {
                block.AddRange(Blocks[random.Next(Blocks.Length)]);
                for (var bytes = random.Next(0, 20); bytes > 0 && random.Next(3) == 0; bytes--) block.Add((byte)random.Next(256));
            }

            headers.Clear();
            reader.Start(headers, (Http2BlockKind)random.Next(3));
            if (!decoder.Decode(block.ToArray(), reader)) decoder = new HpackDecoder(4096);
            reader.Finish(true);
            headers.ByteSize.ShouldBeLessThanOrEqualTo(8192 + 100);
            decoder.TableSize.ShouldBeLessThanOrEqualTo(4096);
        }

        output.WriteLine($"{inputs} blocks");
    }

    private static byte[] RandomInput(Random random, bool toServer)
    {
        var bytes = new List<byte>();
        if (toServer) bytes.AddRange(Http2Frames.Preface);
        if (random.Next(20) > 0) bytes.AddRange(Http2Peer.Frame(Http2FrameType.Settings, 0, 0));
        for (var i = 0; i < FramesPerConnection; i++) bytes.AddRange(RandomFrame(random));
        var input = bytes.ToArray();
        if (random.Next(3) == 0)
        {
            for (var i = random.Next(1, 6); i > 0; i--) input[random.Next(input.Length)] ^= (byte)(1 << random.Next(8));
        }

        return random.Next(8) == 0 ? input[..random.Next(input.Length)] : input;
    }

    private static byte[] RandomFrame(Random random)
    {
        var id = random.Next(6) == 0 ? random.Next() : random.Next(0, 12);
        var flags = random.Next(4) == 0 ? (byte)random.Next(256) : (byte)(random.Next(2) | (random.Next(3) > 0 ? 4 : 0));
        switch (random.Next(12))
        {
            case < 4:
                return Http2Peer.Frame(Http2FrameType.Headers, flags, id | 1, Blocks[random.Next(Blocks.Length)]);
            case < 6:
                return Http2Peer.Frame(Http2FrameType.Data, flags, id, new byte[random.Next(4) == 0 ? random.Next(16384) : random.Next(5)]);
            case 6:
                return Http2Peer.Frame(Http2FrameType.RstStream, 0, id, Http2Peer.Number((uint)random.Next(16)));
            case 7:
                return Http2Peer.Frame(Http2FrameType.WindowUpdate, 0, id, Http2Peer.Number(random.Next(3) == 0 ? (uint)random.Next() : 10u));
            case 8:
                return Http2Peer.Frame(Http2FrameType.Settings, (byte)random.Next(2), 0, [0, (byte)random.Next(10), .. Http2Peer.Number((uint)random.Next(70_000))]);
            case 9:
                return Http2Peer.Frame(Http2FrameType.Continuation, flags, id, Blocks[random.Next(Blocks.Length)]);
            case 10:
                return Http2Peer.Frame((Http2FrameType)random.Next(12), flags, 0, new byte[8]);
            default:
                var payload = new byte[random.Next(40)];
                random.NextBytes(payload);
                return Http2Peer.Frame((Http2FrameType)random.Next(256), (byte)random.Next(256), id, payload);
        }
    }

    private static async Task FeedAsync(Random random, MemoryTransport transport, byte[] input)
    {
        for (var at = 0; at < input.Length;)
        {
            var length = Math.Min(input.Length - at, random.Next(3) == 0 ? random.Next(1, 30) : random.Next(1, 4000));
            await transport.WriteAsync(input.AsMemory(at, length));
            at += length;
            if (random.Next(4) == 0) await Task.Yield();
        }

        await transport.ShutdownWriteAsync();
    }

    private static async Task FuzzServerAsync(int seed)
    {
        var random = new Random(seed);
        var options = new Http2Options { StreamErrorOnInvalidHttpMessage = random.Next(2) == 0, AllowConnect = random.Next(2) == 0, MaxConcurrentStreams = 5 };
        var processor = new ScriptedProcessor(async stream =>
        {
            switch (stream.RequestHeaders.Count % 3)
            {
                case 0:
                    await ScriptedProcessor.EchoAsync(stream);
                    break;
                case 1:
                    await Task.Yield();
                    await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
                    await stream.WriteBodyAsync(new byte[100_000], true);
                    break;
                default:
                    stream.StopReading();
                    await stream.WriteHeadersAsync(ScriptedProcessor.Head(204), true);
                    break;
            }
        });
        var server = new Http2ServerFixture(processor, options);
        await FeedAsync(random, server.Peer.Transport, RandomInput(random, true));
        await server.Run.WaitAsync(Until.Limit);
        if (server.Connection.ActiveStreams > 0) await Until.TrueAsync(() => server.Connection.ActiveStreams == 0);
    }

    private static async Task FuzzClientAsync(int seed)
    {
        var random = new Random(seed);
        var (near, far) = MemoryTransport.CreatePair();
        var client = new Http2ClientConnection(near, new Http2Options { StreamErrorOnInvalidHttpMessage = random.Next(2) == 0 }, TimeProvider.System);
        client.Start();
        var exchanges = new List<Task>();
        for (var i = 0; i < 5; i++) exchanges.Add(ExchangeAsync(client, i));
        await FeedAsync(random, far, RandomInput(random, false));
        await client.Completion.WaitAsync(Until.Limit);
        await Task.WhenAll(exchanges).WaitAsync(Until.Limit);
        client.ActiveStreams.ShouldBe(0);
    }

    private static async Task ExchangeAsync(Http2ClientConnection client, int number)
    {
        if (client.OpenStream() is not { } stream) return;
        var headers = new HeaderMap();
        headers.Add(KnownHeader.Method, number % 2 == 0 ? "GET"u8 : "POST"u8);
        headers.Add(KnownHeader.Scheme, "http"u8);
        headers.Add(KnownHeader.Authority, "a"u8);
        headers.Add(KnownHeader.Path, "/"u8);
        var error = await stream.WriteHeadersAsync(headers, number % 2 == 0);
        if (error == StreamResetReason.None && number % 2 == 1) error = await stream.WriteBodyAsync(new byte[number * 50_000], true);
        ClientHeadersRead head;
        do
        {
            head = await stream.ReadHeadersAsync();
        }
        while (head.Error == StreamResetReason.None && stream.ResponseHeaders.Status < 200);
        var ended = head.Error != StreamResetReason.None || head.EndStream;
        while (!ended)
        {
            ended = (await stream.ReadBodyAsync()).EndStream;
        }

        stream.Release();
    }

    private async Task RunAsync(bool server)
    {
        var connections = FuzzSettings.Inputs(40_000) / FramesPerConnection;
        var first = FuzzSettings.Seed;
        var before = 0L;
        for (var i = 0; i < connections; i++)
        {
            if (i == connections / 10) before = GC.GetTotalMemory(true);
            try
            {
                await (server ? FuzzServerAsync(first + i) : FuzzClientAsync(first + i));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {first + i} failed", e);
            }
        }

        var growth = GC.GetTotalMemory(true) - before;
        output.WriteLine($"{connections} connections, {connections * FramesPerConnection} frames, {growth} bytes more than after a tenth of them");
        growth.ShouldBeLessThan(32L << 20);
    }
}
