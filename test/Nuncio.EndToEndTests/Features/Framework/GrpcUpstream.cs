using System.Buffers.Binary;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Nuncio.EndToEndTests.Features;

/// <summary>
/// A gRPC service of another make: <c>authz</c> (Envoy's external authorisation: denies what has <c>x-auth: deny</c>), <c>ratelimit</c> (is over the limit
/// where a descriptor has the value <c>over</c>), <c>als</c> (access logs) or <c>otlp</c> (traces). Keeps the messages that it got.
/// </summary>
internal sealed class GrpcUpstream : IAsyncDisposable
{
    private readonly WebApplication _application;

    public GrpcUpstream(string kind, Action<string, ProtoFields> keep)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        _application = builder.Build();
        _application.Run(context => AnswerAsync(kind, keep, context));
        _application.StartAsync().GetAwaiter().GetResult();
        Port = new Uri(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
    }

    public int Port { get; }

    public async ValueTask DisposeAsync()
    {
        // Nobody is left to wait for.
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
    }

    private static async Task AnswerAsync(string kind, Action<string, ProtoFields> keep, HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        var path = context.Request.Path.Value!;
        if (kind == "als") await context.Response.StartAsync();
        while (await ReadAsync(context.Request.Body, 5, context.RequestAborted) is { } head)
        {
            var bytes = await ReadAsync(context.Request.Body, BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)), context.RequestAborted);
            var message = ProtoFields.Parse(bytes ?? []);
            keep(path, message);
            if (kind == "als") continue;
            byte[] answer = kind switch { "authz" => Authorize(message), "ratelimit" => Limit(message), _ => [] };
            var frame = new byte[5 + answer.Length];
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), answer.Length);
            answer.CopyTo(frame, 5);
            await context.Response.Body.WriteAsync(frame, context.RequestAborted);
        }

        context.Response.AppendTrailer("grpc-status", "0");
    }

    // envoy.service.auth.v3.CheckRequest and CheckResponse.
    private static byte[] Authorize(ProtoFields request)
    {
        var http = request.At(1, 4, 2);
        var headers = http.Map(3);
        if (headers.GetValueOrDefault("x-auth") == "deny")
        {
            return
            [
                .. ProtoFields.Message(1, ProtoFields.Varint(1, 16)),
                .. ProtoFields.Message(
                    2, ProtoFields.Message(1, ProtoFields.Varint(1, 401)), Header(2, "www-authenticate", "Basic"), ProtoFields.Text(3, "denied over grpc")),
            ];
        }

        var context = string.Join(',', request.At(1).Map(10).Select(entry => $"{entry.Key}={entry.Value}"));
        return
        [
            .. ProtoFields.Message(1, ProtoFields.Varint(1, 0)),
            .. ProtoFields.Message(3, Header(2, "x-user", "grpc"), Header(2, "x-context", context)),
            .. ProtoFields.Message(
                4,
                ProtoFields.Message(1, ProtoFields.Text(1, "user"), ProtoFields.Message(2, ProtoFields.Text(3, "ann"))),
                ProtoFields.Message(1, ProtoFields.Text(1, "level"), ProtoFields.Message(2, [0x11, .. BitConverter.GetBytes(3.0)]))),
        ];
    }

    // envoy.service.ratelimit.v3.RateLimitRequest and RateLimitResponse.
    private static byte[] Limit(ProtoFields request)
    {
        var over = request.All(2).SelectMany(descriptor => descriptor.All(1)).Any(entry => entry.Text(2) == "over");
        return over
            ? [.. ProtoFields.Varint(
                1, 2), .. ProtoFields.Message(3, ProtoFields.Text(1, "x-limit"), ProtoFields.Text(2, "reached")), .. ProtoFields.Text(5, "slow down")]
            : ProtoFields.Varint(1, 1);
    }

    private static byte[] Header(int number, string name, string value) =>
        ProtoFields.Message(number, ProtoFields.Message(1, ProtoFields.Text(1, name), ProtoFields.Text(2, value)));

    private static async Task<byte[]?> ReadAsync(Stream stream, int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        var read = await stream.ReadAtLeastAsync(bytes, count, throwOnEndOfStream: false, cancellationToken);
        return read < count ? null : bytes;
    }
}
