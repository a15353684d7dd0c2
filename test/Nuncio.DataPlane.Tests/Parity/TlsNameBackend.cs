using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>A TLS server that answers each request with what the handshake of its connection said.</summary>
internal sealed class TlsNameBackend : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Task _accepting;

    public TlsNameBackend(TestCertificate certificate)
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync(certificate);
    }

    public int Port { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        _stop.Dispose();
    }

    private async Task AcceptAsync(TestCertificate certificate)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _connections.Add(TalkAsync(await _listener.AcceptTcpClientAsync(_stop.Token), certificate));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task TalkAsync(TcpClient client, TestCertificate certificate)
    {
        using (client)
        {
            try
            {
                var name = "";
                await using var tls = new SslStream(client.GetStream());
                await tls.AuthenticateAsServerAsync(
                    (_, hello, _, _) =>
                    {
                        name = hello.ServerName;
                        return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = certificate.Certificate });
                    },
                    null,
                    _stop.Token);
                var wire = new HttpWire(tls);
                while (await wire.ReadRequestAsync(_stop.Token) is not null)
                {
                    await wire.WriteAsync(Responses.Ok($"sni={name}"), _stop.Token);
                }
            }
            catch (Exception e) when (e is IOException or InvalidDataException or OperationCanceledException or AuthenticationException)
            {
                // The peer did not like the certificate, or the test is over.
            }
        }
    }
}
