using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Discovery;
using Nuncio.Grpc.Client;
using Nuncio.Host.Admin;
using Nuncio.Host.Planes;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Host;

/// <summary>The composition root of <c>nuncio proxy --xds</c>: control plane -> ADS -> embedded proxy, with the admin server beside.</summary>
public sealed partial class RemoteProxy(RemoteProxyOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private readonly ILogger _log = loggers.CreateLogger("nuncio");

    /// <summary>Runs until <paramref name="stopping"/>, then drains. False when it cannot begin, which was logged.</summary>
    public async Task<bool> RunAsync(CancellationToken stopping)
    {
        SslClientAuthenticationOptions? tls = null;
        if (options.Tls is { } files && (tls = ReadTls(files)) is null) return false;
        var state = new GatewayState();
        await using var plane = new EmbeddedPlane(loggers, time, options.Overload);
        await using var admin = new LocalHttpServer(options.AdminEndPoint, new AdminProcessor(state, plane.MetricsAsync), loggers, time);
        var host = options.Host.Contains(':', StringComparison.Ordinal) ? $"[{options.Host}]" : options.Host;
        using var transport = new SocketGrpcTransport(
            new Uri(string.Create(CultureInfo.InvariantCulture, $"{(tls is null ? "http" : "https")}://{host}:{options.Port}")),
            new SocketGrpcTransportOptions { Tls = tls });
        var client = new AdsClient(
            new GrpcClient(transport, new GrpcClientOptions { MaxReceiveMessageLength = AdsClientOptions.MaxResponseLength, Time = time }),
            plane, options.Client, time, loggers.CreateLogger<AdsClient>());
        state.ServeLastGood();
        state.DataPlaneServes = () => client.IsServing;
        if (admin.TryStart(out var error)) LogAdmin(admin.EndPoint!.ToString());
        else LogNoAdmin(options.AdminEndPoint.ToString(), error);
        LogFollowing(options.Host, options.Port);
        await client.RunAsync(stopping);
        await plane.DrainAsync(state, admin, options.DrainTime, _log);
        return true;
    }

    private SslClientAuthenticationOptions? ReadTls(AdsTlsOptions files)
    {
        try
        {
            using var pem = X509Certificate2.CreateFromPemFile(files.Certificate, files.PrivateKey);
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(files.Authorities);
            var chain = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            chain.CustomTrustStore.AddRange(authorities);
            return new SslClientAuthenticationOptions
            {
                TargetHost = files.ServerName,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ClientCertificateContext = SslStreamCertificateContext.Create(
                    X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null), AdsCertificates.IntermediatesIn(files.Certificate),
                    offline: true),
                CertificateChainPolicy = chain,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            LogNoTls(e.Message);
            return null;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Configuration comes from {Host}:{Port}")]
    private partial void LogFollowing(string host, uint port);

    [LoggerMessage(3, LogLevel.Information, "Health and metrics on http://{EndPoint}")]
    private partial void LogAdmin(string endPoint);

    [LoggerMessage(4, LogLevel.Error, "Health and metrics cannot be served on {EndPoint}: {Reason}")]
    private partial void LogNoAdmin(string endPoint, string? reason);

    [LoggerMessage(5, LogLevel.Error, "TLS with the control plane cannot be set up: {Reason}")]
    private partial void LogNoTls(string reason);
}
