using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Transport;
using Nuncio.Testing;
using Nuncio.Testing.Processes;

namespace Nuncio.DataPlane.Tests.Http.Http2;

public sealed class Http2ConformanceTests
{
    [SkippableFact]
    public async Task H2spec_AgainstTheCodec_PassesWhole()
    {
        var h2spec = TestPaths.RequireProgram("h2spec");
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(64);
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        using var stop = new CancellationTokenSource();
        var accepting = AcceptAsync(listener, stop.Token);
        var run = await TestProcess.RunAsync(h2spec, ["-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "--strict", "-o", "10"]);
        await stop.CancelAsync();
        await accepting;
        run.ExitCode.ShouldBe(0, string.Join('\n', run.Output));
        run.Output.ShouldContain(line => line.Contains(" 0 failed", StringComparison.Ordinal));
    }

    private static async Task AcceptAsync(Socket listener, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(stop);
                socket.NoDelay = true;
                _ = ServeAsync(new SocketTransportConnection(socket));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private static async Task AnswerAsync(HttpServerStream stream)
    {
        await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
        while (!stream.RequestEndedWithHeaders && !(await stream.ReadBodyAsync()).EndStream)
        {
            // A response counts only once the request is complete.
        }

        await stream.WriteBodyAsync("hello"u8.ToArray(), true);
    }

    private static async Task ServeAsync(SocketTransportConnection transport)
    {
        await using (transport)
        {
            var options = new Http2Options { MaxConcurrentStreams = 100 };
            await new Http2ServerConnection(transport, Http2ServerFixture.Info(), new ScriptedProcessor(AnswerAsync), options, TimeProvider.System).RunAsync(default);
        }
    }
}
