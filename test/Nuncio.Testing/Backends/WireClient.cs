using System.Net.Security;
using System.Net.Sockets;

namespace Nuncio.Testing.Backends;

/// <summary>A client that sends exactly the bytes it is told to, over TCP or TLS.</summary>
public sealed class WireClient : IAsyncDisposable
{
    private readonly TcpClient _client;

    private WireClient(TcpClient client, Stream stream)
    {
        _client = client;
        Stream = stream;
        Wire = new HttpWire(stream);
    }

    /// <summary>What it reads and writes.</summary>
    public HttpWire Wire { get; }

    /// <summary>The stream of <see cref="Wire"/>.</summary>
    public Stream Stream { get; }

    /// <summary>Connects to a port of 127.0.0.1.</summary>
    public static async Task<WireClient> ConnectAsync(int port)
    {
        var client = await ConnectTcpAsync(port);
        return new WireClient(client, client.GetStream());
    }

    /// <summary>Connects with TLS; any certificate of the server is taken, as the test looks at it itself.</summary>
    public static async Task<WireClient> ConnectTlsAsync(int port, string serverName, Action<SslClientAuthenticationOptions>? configure = null)
    {
        var client = await ConnectTcpAsync(port);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = serverName,
            // A test's certificate has no trusted root, and which one came is what tests ask.
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        };
        configure?.Invoke(options);
        var stream = new SslStream(client.GetStream());
        try
        {
            using var limit = new CancellationTokenSource(HttpWire.Patience);
            await stream.AuthenticateAsClientAsync(options, limit.Token);
        }
        catch
        {
            await stream.DisposeAsync();
            client.Dispose();
            throw;
        }

        return new WireClient(client, stream);
    }

    /// <summary>Sends a request with a Host header and the given lines, and reads the response.</summary>
    public async Task<WireResponse> SendAsync(string method, string target, string host, string headers = "", string body = "")
    {
        var length = body.Length > 0 ? $"content-length: {body.Length}\r\n" : "";
        await Wire.WriteAsync($"{method} {target} HTTP/1.1\r\nhost: {host}\r\n{length}{headers}\r\n{body}");
        return await Wire.ReadResponseAsync(method);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        _client.Dispose();
    }

    private static async Task<TcpClient> ConnectTcpAsync(int port)
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            using var limit = new CancellationTokenSource(HttpWire.Patience);
            await client.ConnectAsync("127.0.0.1", port, limit.Token);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }
}
