using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.Testing.Backends;

/// <summary>Answers one connection of a <see cref="WireBackend"/>; the connection closes when it returns.</summary>
public delegate Task BackendConversation(HttpWire wire, CancellationToken cancellationToken);

/// <summary>A server on a loopback port that talks HTTP/1.1 as its conversation says, well-behaved or not.</summary>
public sealed class WireBackend : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Task _accepting;
    private int _accepted;

    private WireBackend(BackendConversation conversation, X509Certificate2? certificate, int port)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync(conversation, certificate);
    }

    /// <summary>On 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>How many connections it has taken.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>What <see cref="Start(Func{BackendRequest, string}, X509Certificate2?, int)"/> was asked so far.</summary>
    public ConcurrentQueue<BackendRequest> Requests { get; } = [];

    /// <summary>A backend with a conversation of its own.</summary>
    public static WireBackend Start(BackendConversation conversation, X509Certificate2? certificate = null, int port = 0) =>
        new(conversation, certificate, port);

    /// <summary>A backend that keeps connections and answers each request with the bytes that the function gives; see <see cref="Responses"/>.</summary>
    public static WireBackend Start(Func<BackendRequest, string> answer, X509Certificate2? certificate = null, int port = 0)
    {
        WireBackend? backend = null;
        var ready = new TaskCompletionSource();
        backend = new WireBackend(
            async (wire, cancellationToken) =>
            {
                await ready.Task;
                while (await wire.ReadRequestAsync(cancellationToken) is { } request)
                {
                    backend!.Requests.Enqueue(request);
                    await wire.WriteAsync(answer(request), cancellationToken);
                }
            },
            certificate,
            port);
        ready.SetResult();
        return backend;
    }

    /// <summary>Answers each request with 200 and the request itself: its line and headers in the body, then an empty line, then its body.</summary>
    public static WireBackend StartEcho(X509Certificate2? certificate = null, int port = 0) =>
        Start(static request => Responses.Ok($"{request}\n{request.BodyText}"), certificate, port);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        // A conversation that does not heed its cancellation fails the test, and does not hold it.
        await _accepting.WaitAsync(Until.Limit);
        await Task.WhenAll(_connections).WaitAsync(Until.Limit);
        _stop.Dispose();
    }

    private async Task AcceptAsync(BackendConversation conversation, X509Certificate2? certificate)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _accepted);
                _connections.Add(TalkAsync(client, conversation, certificate));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task TalkAsync(TcpClient client, BackendConversation conversation, X509Certificate2? certificate)
    {
        using (client)
        {
            client.NoDelay = true;
            Stream stream = client.GetStream();
            try
            {
                if (certificate is not null)
                {
                    var tls = new SslStream(stream);
                    stream = tls;
                    await tls.AuthenticateAsServerAsync(
                        new SslServerAuthenticationOptions
                        {
                            ServerCertificate = certificate,
                            ApplicationProtocols = [SslApplicationProtocol.Http11],
                        },
                        _stop.Token);
                }

                await conversation(new HttpWire(stream), _stop.Token);
            }
            catch (Exception e) when (e is IOException or InvalidDataException or OperationCanceledException or WebSocketException or AuthenticationException)
            {
                // The other side broke off or the test ended: what a test expects instead, it asserts on the client's side.
            }
            finally
            {
                await stream.DisposeAsync();
            }
        }
    }
}
