using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Transport.Epoll;

namespace Nuncio.DataPlane.Tests.Transport;

public sealed class EpollAcceptorTests : IDisposable
{
    private readonly Socket _listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Channel<IncomingSocket> _accepted = Channel.CreateUnbounded<IncomingSocket>();
    private readonly Channel<int> _failed = Channel.CreateUnbounded<int>();

    public EpollAcceptorTests() => _listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    public void Dispose() => _listening.Dispose();

    [SkippableFact]
    public async Task Connections_ThatCome_AreAcceptedAndCarryBytesBothWays()
    {
        Skip.IfNot(EpollLoops.IsSupported);
        _listening.Listen();
        var acceptor = Start();
        for (var i = 0; i < 100; i++)
        {
            using var peer = Connect();
            var incoming = await TakeAsync(_accepted);
            incoming.Remote.ShouldBe(peer.LocalEndPoint);
            await using var connection = incoming.Adopt(new TcpKeepAliveOptions(3, 60, 10)).ShouldNotBeNull();
            connection.RemoteEndPoint.ShouldBe(peer.LocalEndPoint);
            connection.LocalEndPoint.ShouldBe(peer.RemoteEndPoint);
            await peer.SendAsync(new byte[] { 1, 2, 3 });
            (await connection.ReadAsync(new byte[8]).AsTask().WaitAsync(Until.Limit)).ShouldBe(3);
            (await connection.WriteAsync(new byte[2])).ShouldBeTrue();
            (await peer.ReceiveAsync(new byte[8]).WaitAsync(Until.Limit)).ShouldBe(2);
            await connection.DisposeAsync();
            (await peer.ReceiveAsync(new byte[8]).WaitAsync(Until.Limit)).ShouldBe(0);
        }

        acceptor.Close();
    }

    [SkippableFact]
    public async Task Close_ConnectionsInTheQueue_AreStillAcceptedAndNoneAfterwards()
    {
        Skip.IfNot(EpollLoops.IsSupported);
        _listening.Listen(64);
        var acceptor = Start();
        var peers = Enumerable.Range(0, 50).Select(_ => Connect()).ToList();
        acceptor.Close();
        foreach (var _ in peers)
        {
            (await TakeAsync(_accepted)).Close();
        }

        using var late = Connect();
        _accepted.Reader.TryRead(out _).ShouldBeFalse();
        peers.ForEach(static peer => peer.Dispose());
    }

    [SkippableFact]
    public async Task Failure_IsToldAndTriedAgainLater()
    {
        Skip.IfNot(EpollLoops.IsSupported);

        // It does not listen yet, which accept(2) refuses, and which is over a moment later.
        var acceptor = Start();
        (await TakeAsync(_failed)).ShouldBe(22);
        _listening.Listen();
        using var peer = Connect();
        (await TakeAsync(_accepted)).Close();
        acceptor.Close();
    }

    [SkippableFact]
    public async Task Adopt_KeepAliveThatTheSystemRefuses_ClosesTheConnection()
    {
        Skip.IfNot(EpollLoops.IsSupported);
        _listening.Listen();
        var acceptor = Start();
        using var peer = Connect();
        (await TakeAsync(_accepted)).Adopt(new TcpKeepAliveOptions(1_000_000, 60, 10)).ShouldBeNull();
        peer.ReceiveTimeout = (int)Until.Limit.TotalMilliseconds;
        peer.Receive(new byte[1]).ShouldBe(0);
        acceptor.Close();
    }

    private EpollAcceptor Start() => EpollAcceptor.Start(
        _listening, one => _accepted.Writer.TryWrite(one), error => _failed.Writer.TryWrite(error), TimeProvider.System).ShouldNotBeNull();

    private Socket Connect()
    {
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        peer.Connect(_listening.LocalEndPoint!);
        return peer;
    }

    private static Task<T> TakeAsync<T>(Channel<T> from) => from.Reader.ReadAsync().AsTask().WaitAsync(Until.Limit);
}
