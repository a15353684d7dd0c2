using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Nuncio.Grpc.Client;

/// <summary>Streams over one or more HTTP/2 connections of its own to one server, in cleartext (with prior knowledge) or TLS.</summary>
public sealed class SocketGrpcTransport : GrpcTransport, IDisposable
{
    private readonly HttpMessageInvoker _invoker;
    private readonly Uri _address;

    /// <summary>To a server.</summary>
    /// <param name="address"><c>http://host:port</c> or <c>https://host:port</c>; the host is the <c>:authority</c>.</param>
    /// <param name="options">How to connect.</param>
    public SocketGrpcTransport(Uri address, SocketGrpcTransportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        options ??= new SocketGrpcTransportOptions();
        _address = address;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = options.KeepAliveDelay,
            KeepAlivePingTimeout = options.KeepAliveTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            MaxResponseHeadersLength = 64,
        };
        if (options.Tls is not null) handler.SslOptions = options.Tls;
        if (options.UnixSocketPath is { } path)
        {
            handler.ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            };
        }

        _invoker = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <inheritdoc/>
    public override async ValueTask<GrpcTransportStream> OpenAsync(GrpcRequestHead head, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(head);
        var content = new SocketRequestContent();
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_address, head.Path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        for (var i = 0; i < head.Headers.Count; i++)
        {
            var (name, value) = head.Headers[i];
            if (name == "content-type") content.Headers.TryAddWithoutValidation(name, value);
            else request.Headers.TryAddWithoutValidation(name, value);
        }

        var stream = new SocketGrpcStream(request, content);
        try
        {
            await stream.StartAsync(_invoker, cancellation).ConfigureAwait(false);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _invoker.Dispose();
}

/// <summary>How <see cref="SocketGrpcTransport"/> connects.</summary>
public sealed record SocketGrpcTransportOptions
{
    /// <summary>How long a connection may take; 10 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After how long without octets from the server it is asked for a sign of life; 30 seconds.</summary>
    public TimeSpan KeepAliveDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long that sign may take; 20 seconds. Then the connection counts as lost.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>For addresses with https: certificates and checks; null for the system's.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>A Unix socket instead of the address's host and port.</summary>
    public string? UnixSocketPath { get; init; }
}
