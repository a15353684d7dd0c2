using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Transport.Epoll;

namespace Nuncio.DataPlane.Tests.Http.Http2;

public sealed class Http2FlushTests
{
    [Fact]
    public async Task Responses_InOneBatch_LeaveWithOneSend()
    {
        // One for each request: of several that wait for one, only the first goes on inline.
        var gates = Enumerable.Range(0, 3).Select(static _ => new TaskCompletionSource()).ToArray();
        var next = 0;
        var server = new Http2ServerFixture(new ScriptedProcessor(async stream =>
        {
            await gates[next++].Task.ConfigureAwait(false);
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), true);
        }));
        await server.Peer.StartClientAsync();
        for (var id = 1; id <= 5; id += 2) await server.Peer.RequestAsync(id, true);
        await server.Peer.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]);
        await server.Peer.ReadAsync(Http2FrameType.Ping);
        var before = server.Near.Writes;
        await Task.Run(() =>
        {
            FlushBatch.Enter();
            try
            {
                foreach (var gate in gates) gate.SetResult();
                server.Near.Writes.ShouldBe(before);
                FlushBatch.FlushAll();
                server.Near.Writes.ShouldBe(before + 1);
                FlushBatch.IsOpen.ShouldBeTrue();
            }
            finally
            {
                // The thread is the pool's, and an open batch would hold up whatever it does next.
                FlushBatch.Exit();
            }

            FlushBatch.IsOpen.ShouldBeFalse();
        }).WaitAsync(Until.Limit);
        for (var i = 0; i < 3; i++) (await server.Peer.ReadAsync(Http2FrameType.Headers)).EndStream.ShouldBeTrue();
        server.Near.Writes.ShouldBe(before + 1);
    }

    [SkippableFact]
    public async Task Failure_OfAPeerThatHasEnded_IsStillTold()
    {
        Skip.IfNot(EpollLoops.IsSupported);
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listening.LocalEndPoint!);
        await using var accepted = EpollTransportConnection.Of(await listening.AcceptAsync());
        var connection = new Http2ServerConnection(accepted, Http2ServerFixture.Info(), new ScriptedProcessor(), Http2Options.Default, TimeProvider.System);

        // The whole conversation is there when the loop reads for the first time, the end included: what answers it must not wait for the end of the turn.
        byte[] settings = Http2Peer.Frame(Http2FrameType.Settings, 0, 0);
        byte[] wrong = Http2Peer.Frame(Http2FrameType.Data, 0, 0, 1);
        var run = connection.RunAsync(default);
        await client.SendAsync((byte[])[.. Http2Frames.Preface, .. settings, .. wrong]);
        client.Shutdown(SocketShutdown.Send);
        await run.WaitAsync(Until.Limit);
        await accepted.DisposeAsync();
        var received = new byte[4096];
        var length = 0;
        int read;
        while ((read = await client.ReceiveAsync(received.AsMemory(length)).AsTask().WaitAsync(Until.Limit)) > 0) length += read;
        var types = new List<Http2FrameType>();
        for (var at = 0; at < length; at += 9 + ((received[at] << 16) | (received[at + 1] << 8) | received[at + 2])) types.Add((Http2FrameType)received[at + 3]);
        types[^1].ShouldBe(Http2FrameType.GoAway);
    }
}
