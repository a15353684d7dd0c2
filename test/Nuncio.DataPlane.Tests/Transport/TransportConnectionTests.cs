using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tests.Transport;

// Each holds for both engines: loops of our own where there are some (Linux), and the platform's.
public class TransportConnectionTests
{
    private static readonly TimeSpan Long = Until.Limit;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_BytesOfThePeer_ComeInOrderAndThenTheEnd(bool platform)
    {
        var (connection, peer) = await ConnectAsync(platform);
        await using var open = connection;
        var buffer = new byte[8];
        var reading = connection.ReadAsync(buffer).AsTask();
        await peer.SendAsync("first"u8.ToArray());
        (await reading.WaitAsync(Long)).ShouldBe(5);
        buffer.AsSpan(0, 5).SequenceEqual("first"u8).ShouldBeTrue();
        await peer.SendAsync("0123456789"u8.ToArray());
        peer.Shutdown(SocketShutdown.Send);
        var all = new MemoryStream();
        int read;
        while ((read = await connection.ReadAsync(buffer).AsTask().WaitAsync(Long)) > 0)
        {
            all.Write(buffer, 0, read);
        }

        read.ShouldBe(0);
        all.ToArray().ShouldBe("0123456789"u8.ToArray());
        (await connection.ReadAsync(buffer).AsTask().WaitAsync(Long)).ShouldBe(0);
    }

    [SkippableFact]
    public async Task HasPeerHungUp_OnceItsLastBytesAreRead_IsTrue()
    {
        Skip.IfNot(Nuncio.DataPlane.Transport.Epoll.EpollLoops.IsSupported);
        var (connection, peer) = await ConnectAsync(platform: false);
        await using var open = connection;
        connection.HasPeerHungUp.ShouldBeFalse();
        await peer.SendAsync("last"u8.ToArray());
        peer.Shutdown(SocketShutdown.Send);
        connection.HasPeerHungUp.ShouldBeFalse();
        (await connection.ReadAsync(new byte[8]).AsTask().WaitAsync(Long)).ShouldBe(4);
        await Until.TrueAsync(() => connection.HasPeerHungUp);
        (await connection.ReadAsync(new byte[8]).AsTask().WaitAsync(Long)).ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_IntoNothing_WaitsUntilThereIsSomething(bool platform)
    {
        var (connection, peer) = await ConnectAsync(platform);
        await using var open = connection;
        var reading = connection.ReadAsync(Memory<byte>.Empty).AsTask();
        await Task.Yield();
        reading.IsCompleted.ShouldBeFalse();
        await peer.SendAsync("x"u8.ToArray());
        (await reading.WaitAsync(Long)).ShouldBe(0);
        (await connection.ReadAsync(new byte[4]).AsTask().WaitAsync(Long)).ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_MoreThanThePeerTakes_WaitsForItAndLosesNothing(bool platform)
    {
        var (connection, peer) = await ConnectAsync(platform);
        await using var open = connection;
        var sent = new byte[16 * 1024 * 1024];
        new Random(1).NextBytes(sent);
        var writing = connection.WriteAsync(sent).AsTask();
        writing.IsCompleted.ShouldBeFalse();
        var received = new byte[sent.Length];
        for (var at = 0; at < received.Length;)
        {
            var read = await peer.ReceiveAsync(received.AsMemory(at)).AsTask().WaitAsync(Long);
            read.ShouldBeGreaterThan(0);
            at += read;
        }

        (await writing.WaitAsync(Long)).ShouldBeTrue();
        received.AsSpan().SequenceEqual(sent).ShouldBeTrue();
        (await connection.WriteAsync("more"u8.ToArray()).AsTask().WaitAsync(Long)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ManyBytes_BothWaysAtOnce_Arrive(bool platform)
    {
        var (connection, peer) = await ConnectAsync(platform);
        await using var open = connection;
        const int Total = 8 * 1024 * 1024;
        var echo = Task.Run(async () =>
        {
            var buffer = new byte[16384];
            int read;
            while ((read = await connection.ReadAsync(buffer)) > 0 && await connection.WriteAsync(buffer.AsMemory(0, read)))
            {
            }

            await connection.ShutdownWriteAsync();
        });
        var sending = Task.Run(async () =>
        {
            var piece = new byte[5000];
            for (var at = 0; at < Total; at += piece.Length)
            {
                piece.AsSpan().Fill((byte)(at / piece.Length));
                await peer.SendAsync(piece);
            }

            peer.Shutdown(SocketShutdown.Send);
        });
        var received = 0;
        var buffer = new byte[30000];
        int count;
        while ((count = await peer.ReceiveAsync(buffer).WaitAsync(Long)) > 0)
        {
            buffer[0].ShouldBe((byte)(received / 5000));
            received += count;
        }

        await Task.WhenAll(echo, sending).WaitAsync(Long);
        received.ShouldBeGreaterThanOrEqualTo(Total);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Abort_WithAReadPending_EndsItAndResetsThePeer(bool platform)
    {
        var (connection, peer) = await ConnectAsync(platform);
        var reading = connection.ReadAsync(new byte[8]).AsTask();
        connection.Abort();
        (await reading.WaitAsync(Long)).ShouldBe(-1);
        (await connection.ReadAsync(new byte[8])).ShouldBe(-1);
        (await connection.WriteAsync(new byte[8])).ShouldBeFalse();
        var failure = await Should.ThrowAsync<SocketException>(async () => await peer.ReceiveAsync(new byte[8]).WaitAsync(Long));
        failure.SocketErrorCode.ShouldBe(SocketError.ConnectionReset);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Abort_WithAWritePending_EndsIt(bool platform)
    {
        var (connection, _) = await ConnectAsync(platform);
        var writing = connection.WriteAsync(new byte[64 * 1024 * 1024]).AsTask();
        writing.IsCompleted.ShouldBeFalse();
        connection.Abort();
        (await writing.WaitAsync(Long)).ShouldBeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dispose_WithAReadPending_EndsWithoutAReset(bool platform)
    {
        var (connection, peer) = await ConnectAsync(platform);
        var reading = connection.ReadAsync(new byte[8]).AsTask();
        await connection.WriteAsync("bye"u8.ToArray());
        await connection.DisposeAsync();
        (await reading.WaitAsync(Long)).ShouldBe(-1);
        var buffer = new byte[8];
        (await peer.ReceiveAsync(buffer).WaitAsync(Long)).ShouldBe(3);
        (await peer.ReceiveAsync(buffer).WaitAsync(Long)).ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Peer_ThatResets_BreaksTheConnection(bool platform)
    {
        var (connection, peer) = await ConnectAsync(platform);
        await using var open = connection;
        var reading = connection.ReadAsync(new byte[8]).AsTask();
        peer.LingerState = new LingerOption(true, 0);
        peer.Close();
        (await reading.WaitAsync(Long)).ShouldBe(-1);
        (await connection.WriteAsync(new byte[8])).ShouldBeFalse();
    }

    // Descriptors are used again at once: an abort that closes one too early would make another connection read what is not its own.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ManyConnections_AbortedAtAnyMoment_DisturbNoOther(bool platform)
    {
        var workers = Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 150; i++)
            {
                var (connection, peer) = await ConnectAsync(platform);
                var mark = (byte)random.Next(256);
                var echo = Task.Run(async () =>
                {
                    var buffer = new byte[64];
                    int read;
                    while ((read = await connection.ReadAsync(buffer)) > 0)
                    {
                        buffer.AsSpan(0, read).ContainsAnyExcept(mark).ShouldBeFalse();
                        await connection.WriteAsync(buffer.AsMemory(0, read));
                    }
                });
                var message = new byte[32];
                message.AsSpan().Fill(mark);
                for (var round = random.Next(4); round >= 0; round--)
                {
                    await peer.SendAsync(message);
                    var buffer = new byte[64];
                    var read = await peer.ReceiveAsync(buffer).WaitAsync(Long);
                    buffer.AsSpan(0, read).ContainsAnyExcept(mark).ShouldBeFalse();
                }

                var last = Task.Run(() => peer.Send(message));
                await Task.WhenAll(last.ContinueWith(static sent => sent.Exception, TaskScheduler.Default), Task.Run(connection.Abort));
                await echo.WaitAsync(Long);
                peer.Dispose();
            }
        }));
        await Task.WhenAll(workers).WaitAsync(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Connect_ToAPeer_KnowsBothEnds()
    {
        using var listener = Listen();
        var connect = await new SocketConnector(TimeProvider.System).ConnectAsync((IPEndPoint)listener.LocalEndPoint!, TransportConnectOptions.Default, CancellationToken.None);
        await using var connection = connect.Connection.ShouldNotBeNull();
        using var peer = await listener.AcceptAsync().WaitAsync(Long);
        connection.RemoteEndPoint.ShouldBe(peer.LocalEndPoint);
        connection.LocalEndPoint.ShouldBe(peer.RemoteEndPoint);
        (await connection.WriteAsync("hello"u8.ToArray())).ShouldBeTrue();
        (await peer.ReceiveAsync(new byte[8]).WaitAsync(Long)).ShouldBe(5);
        await peer.SendAsync("you"u8.ToArray());
        (await connection.ReadAsync(new byte[8]).AsTask().WaitAsync(Long)).ShouldBe(3);
    }

    [Fact]
    public async Task Connect_WhereNobodyListens_Fails()
    {
        var nobody = new IPEndPoint(IPAddress.Loopback, FreePort.Next());
        var connect = await new SocketConnector(TimeProvider.System).ConnectAsync(nobody, TransportConnectOptions.Default, CancellationToken.None);
        connect.Connection.ShouldBeNull();
        connect.Error.ShouldBe(StreamResetReason.ConnectionFailure);
    }

    [Fact]
    public async Task Connect_GivenUpBefore_IsALocalReset()
    {
        using var listener = Listen();
        var connect = await new SocketConnector(TimeProvider.System).ConnectAsync(
            (IPEndPoint)listener.LocalEndPoint!, TransportConnectOptions.Default, new CancellationToken(canceled: true));
        connect.Connection.ShouldBeNull();
        connect.Error.ShouldBe(StreamResetReason.LocalReset);
    }

    private static async Task<(TransportConnection Connection, Socket Peer)> ConnectAsync(bool platform)
    {
        using var listener = Listen();
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var accepting = listener.AcceptAsync();
        await peer.ConnectAsync(listener.LocalEndPoint!);
        var accepted = await accepting.WaitAsync(Long);
        return (platform ? new SocketTransportConnection(accepted) : SocketTransports.Adopt(accepted), peer);
    }

    private static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }
}
