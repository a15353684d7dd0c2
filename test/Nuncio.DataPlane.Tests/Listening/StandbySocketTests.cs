using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Tests.Listening;

public sealed class StandbySocketTests
{
    [SkippableFact]
    public async Task Connections_ComeOnceTheOtherIsGone_AndNoneIsLostBetweenThoseWhoServe()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        var other = TcpListenerSocket.Listen(new ListenAddress(new IPEndPoint(IPAddress.Loopback, 0), false), 64);
        var address = new ListenAddress((IPEndPoint)other.LocalEndPoint!, false);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var standby = StandbySocket.Open(address, 64, 1, () => reached.TrySetResult(), out _).ShouldNotBeNull();
        standby.Others.ShouldBe(1);
        standby.Chosen.ShouldBe(1);
        standby.Watch();
        for (var i = 0; i < 20; i++) Connect(address).Dispose();
        standby.IsReached.ShouldBeFalse();

        await CloseAsync(other, standby);
        using var first = Connect(address);
        await reached.Task.WaitAsync(Until.Limit);
        standby.IsReached.ShouldBeTrue();
        standby.Others.ShouldBe(0);
        var taken = new List<Socket>();
        standby.Serve(taken.Add);
        taken.ShouldHaveSingleItem().RemoteEndPoint.ShouldBe(first.LocalEndPoint);
        standby.IsReached.ShouldBeFalse();

        standby.Release();
        using var second = Connect(address);
        await Until.TrueAsync(() => standby.IsReached);
        standby.Serve(taken.Add);
        taken.Count.ShouldBe(2);
        taken.ForEach(static socket => socket.Dispose());
    }

    [SkippableFact]
    public void Closed_WhileItIsServed_ListensUntilItIsNotAnyMore()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        using var other = TcpListenerSocket.Listen(new ListenAddress(new IPEndPoint(IPAddress.Loopback, 0), false), 64);
        var address = new ListenAddress((IPEndPoint)other.LocalEndPoint!, false);
        var standby = StandbySocket.Open(address, 64, 1, static () => { }, out _).ShouldNotBeNull();
        standby.Serve(static socket => socket.Dispose());

        standby.Dispose();
        StandbySocket.Listeners(address).ShouldBe(2);
        standby.Release();

        StandbySocket.Listeners(address).ShouldBe(1);
    }

    [SkippableFact]
    public async Task Release_OfOneThatNobodyServed_ForgetsNobodyWhoWaits()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        var other = TcpListenerSocket.Listen(new ListenAddress(new IPEndPoint(IPAddress.Loopback, 0), false), 64);
        var address = new ListenAddress((IPEndPoint)other.LocalEndPoint!, false);
        using var standby = StandbySocket.Open(address, 64, 1, static () => { }, out _).ShouldNotBeNull();
        standby.Watch();
        await CloseAsync(other, standby);
        using var client = Connect(address);
        await Until.TrueAsync(() => standby.IsReached);

        standby.Release();

        standby.IsReached.ShouldBeTrue();
        var taken = new List<Socket>();
        standby.Serve(taken.Add);
        taken.ShouldHaveSingleItem().Dispose();
    }

    [SkippableFact]
    public void Address_ThatAnotherHasAlone_IsAnError()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();

        StandbySocket.Open(new ListenAddress((IPEndPoint)other.LocalEndPoint!, false), 64, 0, static () => { }, out var error).ShouldBeNull();

        error.ShouldNotBeEmpty();
    }

    // A program that another test starts at this moment holds all sockets of the process until it is itself.
    private static Task CloseAsync(Socket other, StandbySocket standby)
    {
        other.Dispose();
        return Until.TrueAsync(() => standby.Others == 0);
    }

    private static Socket Connect(ListenAddress address)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(address.EndPoint);
        return client;
    }
}
