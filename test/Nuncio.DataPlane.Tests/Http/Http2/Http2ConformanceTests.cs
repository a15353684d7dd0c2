using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Tests.Tls;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.Transport;
using Nuncio.Testing;
using Nuncio.Testing.Processes;

namespace Nuncio.DataPlane.Tests.Http.Http2;

public sealed class Http2ConformanceTests
{
    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task H2spec_AgainstTheCodec_PassesWhole(bool tls)
    {
        var h2spec = TestPaths.RequireProgram("h2spec");
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(64);
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        using var stop = new CancellationTokenSource();
        using var certificate = tls ? TestCertificate.Create(["localhost"]) : null;
        var accepting = AcceptAsync(listener, certificate is null ? null : DownstreamTls.Bind(certificate, null, "h2"), stop.Token);
        string[] overTls = tls ? ["--tls", "--insecure"] : [];
        var run = await TestProcess.RunAsync(
            h2spec, ["-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "--strict", "-o", "10", .. overTls]);
        await stop.CancelAsync();
        await accepting;
        run.ExitCode.ShouldBe(0, string.Join('\n', run.Output));
        run.Output.ShouldContain(line => line.Contains(" 0 failed", StringComparison.Ordinal));
    }

    private static async Task AcceptAsync(Socket listener, DownstreamTlsModel? tls, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(stop);
                socket.NoDelay = true;
                _ = ServeAsync(new SocketTransportConnection(socket), tls);
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

    private static async Task ServeAsync(TransportConnection transport, DownstreamTlsModel? model)
    {
        if (model is not null)
        {
            if (await model.AcceptAsync(transport, default, "", CancellationToken.None) is not { } encrypted)
            {
                // h2spec looks whether somebody listens before it begins.
                return;
            }

            transport = encrypted;
        }

        await using (transport)
        {
            var options = new Http2Options { MaxConcurrentStreams = 100 };
            await new Http2ServerConnection(transport, Http2ServerFixture.Info(), new ScriptedProcessor(AnswerAsync), options, TimeProvider.System)
                .RunAsync(default);
        }
    }
}
