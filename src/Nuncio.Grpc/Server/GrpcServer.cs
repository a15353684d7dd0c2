using System.Collections.Frozen;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Nuncio.Grpc.Server;

/// <summary>
/// Serves gRPC over HTTP/2, on Kestrel. Memory per connection is bounded: what a caller does not read makes the handler that writes wait, and the flow control
/// of HTTP/2 makes a caller wait whose messages nobody reads.
/// </summary>
public sealed class GrpcServer : IAsyncDisposable
{
    private readonly KestrelServer _kestrel;
    private readonly WebApplication _services;
    private readonly CancellationTokenSource _stopping;
    private bool _stopped;

    private GrpcServer(KestrelServer kestrel, WebApplication services, CancellationTokenSource stopping)
    {
        _kestrel = kestrel;
        _services = services;
        _stopping = stopping;
    }

    /// <summary>The TCP port it listens on; 0 for a Unix socket.</summary>
    public int Port { get; private init; }

    /// <summary>Starts a server.</summary>
    /// <exception cref="IOException">The address is in use.</exception>
    public static async Task<GrpcServer> StartAsync(
        GrpcServerOptions options, GrpcServiceTable methods, ILoggerFactory loggers, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentNullException.ThrowIfNull(loggers);
        var services = Services(loggers);
        var stopping = new CancellationTokenSource();
        KestrelServer? kestrel = null;
        try
        {
            kestrel = new KestrelServer(
                Options.Create(Settings(options, services.Services)),
                new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers), loggers);
            var application = new Application(methods.Freeze(), options, stopping.Token, loggers.CreateLogger("nuncio.grpc"));
            await kestrel.StartAsync(application, cancellation).ConfigureAwait(false);
            var address = kestrel.Features.Get<IServerAddressesFeature>()!.Addresses.First();
            return new GrpcServer(kestrel, services, stopping) { Port = options.Address is IPEndPoint ? new Uri(address).Port : 0 };
        }
        catch
        {
            kestrel?.Dispose();
            await services.DisposeAsync().ConfigureAwait(false);
            stopping.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Stops: takes no more calls, tells handlers (<see cref="GrpcServerContext.Stopping"/>), and waits for them until <paramref name="cancellation"/> ends;
    /// then what is left is cut.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        if (_stopped) return;
        _stopped = true;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _kestrel.StopAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Stops at once.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        _kestrel.Dispose();
        await _services.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    // Kestrel's TLS needs services that only its own registration knows. The application they belong to never starts.
    private static WebApplication Services(ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton(loggers);
        return builder.Build();
    }

    private static KestrelServerOptions Settings(GrpcServerOptions options, IServiceProvider services)
    {
        // Envoy's gRPC client says "http" on TLS connections too.
        var kestrel = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false, AllowAlternateSchemes = true };
        var limits = kestrel.Limits;
        limits.MaxConcurrentConnections = options.MaxConnections;
        limits.MaxRequestBodySize = null;
        limits.MaxResponseBufferSize = options.MaxBufferedResponseLength;

        // A stream may be silent for hours; whether the peer lives is asked by pings.
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.Http2.MaxStreamsPerConnection = options.MaxStreamsPerConnection;
        limits.Http2.KeepAlivePingDelay = options.KeepAliveDelay;
        limits.Http2.KeepAlivePingTimeout = options.KeepAliveTimeout;
        limits.Http2.InitialConnectionWindowSize = 1024 * 1024;
        limits.Http2.InitialStreamWindowSize = 256 * 1024;
        kestrel.Listen(options.Address, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (options.Certificate is { } certificate) listen.UseHttps(Tls(options, certificate));
        });
        return kestrel;
    }

    private static HttpsConnectionAdapterOptions Tls(GrpcServerOptions options, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        var tls = new HttpsConnectionAdapterOptions
        {
            ServerCertificate = certificate,
            ServerCertificateChain = options.Intermediates,
            SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (options.AcceptClientCertificate is { } accept)
        {
            tls.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            tls.ClientCertificateValidation = (peer, chain, _) => accept(peer, chain?.ChainPolicy.ExtraStore ?? []);
        }

        return tls;
    }

    private sealed class Application(FrozenDictionary<string, GrpcServerMethod> methods, GrpcServerOptions options, CancellationToken stopping, ILogger logger)
        : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        public Task ProcessRequestAsync(HttpContext context) =>
            new GrpcServerCall(context, options.MaxReceiveMessageLength, options.Time, stopping, logger)
                .RunAsync(methods.GetValueOrDefault(context.Request.Path.Value ?? string.Empty));
    }
}
