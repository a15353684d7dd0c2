using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tests.Transport;

public sealed class SharedPortTests : IDisposable
{
    private readonly List<Socket> _open = [];

    public void Dispose() => _open.ForEach(static socket => socket.Dispose());

    [SkippableTheory]
    [InlineData("127.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", true)]
    public async Task ChooseAmong_TheFirst_LeavesOutTheLast_UntilItIsAlone(string address, bool isDualStack)
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        var (first, second, last) = (Listen(address, isDualStack), Listen(address, isDualStack), Listen(address, isDualStack));
        SharedPort.Listeners((IPEndPoint)first.LocalEndPoint!).ShouldBe(3);

        SharedPort.TryChooseAmong(last, 0, 2).ShouldBeTrue();
        Connect(40);
        await AcceptedAsync(40, first, second);
        Accepted(last).ShouldBe(0);

        first.Dispose();
        second.Dispose();
        Connect(10, last);
        await AcceptedAsync(10, last);
    }

    [SkippableFact]
    public async Task ChooseAmong_TheOthers_LeavesOutTheFirst_OnceTheyAreThere()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        var first = Listen("127.0.0.1", false);
        SharedPort.TryChooseAmong(first, 1, 2).ShouldBeTrue();
        Connect(10);
        await AcceptedAsync(10, first);

        var (second, third) = (Listen("127.0.0.1", false), Listen("127.0.0.1", false));
        Connect(40);
        await AcceptedAsync(40, second, third);
        Accepted(first).ShouldBe(0);
    }

    private Socket Listen(string address, bool isDualStack)
    {
        var port = _open.Count == 0 ? 0 : ((IPEndPoint)_open[0].LocalEndPoint!).Port;
        var socket = TcpListenerSocket.Listen(new ListenAddress(new IPEndPoint(IPAddress.Parse(address), port), isDualStack), 4096);
        socket.Blocking = false;
        _open.Add(socket);
        return socket;
    }

    private void Connect(int times, Socket? to = null)
    {
        var port = ((IPEndPoint)(to ?? _open[0]).LocalEndPoint!).Port;
        for (var i = 0; i < times; i++)
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(IPAddress.Loopback, port);
        }
    }

    // A client is told that it is connected a moment before the connection is there to be accepted.
    private static async Task AcceptedAsync(int expected, params Socket[] listening)
    {
        var count = 0;
        await Until.TrueAsync(() => (count += listening.Sum(Accepted)) >= expected);
        count.ShouldBe(expected);
    }

    private static int Accepted(Socket listening)
    {
        var count = 0;
        try
        {
            while (true)
            {
                listening.Accept().Dispose();
                count++;
            }
        }
        catch (SocketException)
        {
            return count;
        }
    }
}
