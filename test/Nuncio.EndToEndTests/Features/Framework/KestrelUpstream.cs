using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Features;

/// <summary>
/// A server of another make for TLS and HTTP/2. What it says it saw has besides the headers <c>x-seen-protocol</c>, <c>x-seen-server-name</c> and
/// <c>x-seen-client</c> (the subject of the client certificate). gRPC calls get their body back and <c>grpc-status: 0</c> in a trailer.
/// </summary>
internal sealed class KestrelUpstream : IAsyncDisposable
{
    private readonly WebApplication _application;

    public KestrelUpstream(Upstreams upstreams, string name, X509Certificate2? certificate, bool wantsClientCertificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            // A gateway says what scheme its client has used, whatever the connection to here is.
            options.AllowAlternateSchemes = true;
            options.Listen(IPAddress.Loopback, 0, Configure);
        });
        _application = builder.Build();
        _application.Run(context => AnswerAsync(upstreams, name, context));
        _application.StartAsync().GetAwaiter().GetResult();
        var addresses = _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Port = new Uri(addresses.First()).Port;

        void Configure(ListenOptions listen)
        {
            listen.Protocols = certificate is null ? HttpProtocols.Http2 : HttpProtocols.Http1AndHttp2;
            if (certificate is null) return;
            listen.UseHttps(https =>
            {
                // Asked with the name that the client gave, which is kept for TlsHandshakeFeature only then.
                https.ServerCertificateSelector = (_, _) => certificate;
                https.ClientCertificateMode = wantsClientCertificate ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.AllowCertificate;
                https.AllowAnyClientCertificate();
            });
        }
    }

    public int Port { get; }

    public async ValueTask DisposeAsync()
    {
        // Nobody is left to wait for.
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
    }

    private static async Task AnswerAsync(Upstreams upstreams, string name, HttpContext context)
    {
        var request = context.Request;
        var headers = request.Headers.SelectMany(header => header.Value.Select(value => new KeyValuePair<string, string>(header.Key, value ?? ""))).ToList();
        headers.Add(new("x-seen-protocol", request.Protocol));
        if (context.Features.Get<ITlsHandshakeFeature>() is { } tls) headers.Add(new("x-seen-server-name", tls.HostName));
        if (context.Connection.ClientCertificate is { } client) headers.Add(new("x-seen-client", client.Subject));
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, context.RequestAborted);
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var seen = new BackendRequest(request.Method, target, request.Protocol, headers, body.ToArray(), []);

        var (status, answerHeaders, text) = await upstreams.AnswerAsync(name, seen, context.RequestAborted);
        context.Response.StatusCode = status;
        foreach (var (header, value) in answerHeaders) context.Response.Headers.Append(header, value);
        if (request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true)
        {
            context.Response.ContentType = request.ContentType;
            await context.Response.Body.WriteAsync(seen.Body, context.RequestAborted);
            context.Response.AppendTrailer("grpc-status", "0");
            return;
        }

        await context.Response.WriteAsync(text, context.RequestAborted);
    }
}
