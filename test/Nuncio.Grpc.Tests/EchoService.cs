using System.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Nuncio.Grpc.Tests;

/// <summary>A service that does what its callers say.</summary>
internal static class EchoService
{
    public static readonly GrpcMethod<StringValue, StringValue> Say = new("test.Echo", "Say");
    public static readonly GrpcMethod<Int32Value, StringValue> Count = new("test.Echo", "Count");
    public static readonly GrpcMethod<StringValue, StringValue> Talk = new("test.Echo", "Talk");
    public static readonly GrpcMethod<StringValue, StringValue> Leave = new("test.Echo", "Leave");
    public static readonly GrpcMethod<StringValue, StringValue> Wait = new("test.Echo", "Wait");

    public static GrpcServiceTable Table(TaskCompletionSource? waitBegan = null, TaskCompletionSource? waitEnded = null) => new GrpcServiceTable()
        .Unary(Say, (request, context) =>
        {
            context.ResponseHeaders.Add("x-heard", context.Headers.Get("x-said") ?? "nothing");
            context.ResponseTrailers.Add("x-after", "all");
            return request.Value switch
            {
                "refuse" => throw new GrpcStatusException(GrpcStatusCode.PermissionDenied, "not größer"),
                "crash" => throw new InvalidOperationException("a secret"),
                _ => ValueTask.FromResult(new StringValue { Value = "you said " + request.Value }),
            };
        })
        .ServerStreaming(Count, async (request, responses, _) =>
        {
            for (var i = 1; i <= request.Value; i++) await responses.WriteAsync(new StringValue { Value = i.ToString() });
            if (request.Value == 3) throw new GrpcStatusException(GrpcStatusCode.OutOfRange, "three is enough");
        })
        .Duplex(Talk, async (requests, responses, _) =>
        {
            await foreach (var message in requests.ReadAllAsync()) await responses.WriteAsync(new StringValue { Value = message.Value.ToUpperInvariant() });
        })
        .Duplex(Leave, (_, _, _) => throw new GrpcStatusException(GrpcStatusCode.Unavailable, "not today"))
        .Unary(Wait, async (request, context) =>
        {
            waitBegan?.TrySetResult();
            try
            {
                using var both = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation, context.Stopping);
                await Task.Delay(Timeout.Infinite, both.Token);
                return request;
            }
            finally
            {
                waitEnded?.TrySetResult();
            }
        });

    public static Task<GrpcServer> StartAsync(GrpcServiceTable? table = null, int port = 0) => GrpcServer.StartAsync(
        new GrpcServerOptions { Address = new IPEndPoint(IPAddress.Loopback, port), MaxReceiveMessageLength = 100_000 }, table ?? Table(),
        NullLoggerFactory.Instance);

    public static GrpcClient Client(GrpcServer server, out SocketGrpcTransport transport)
    {
        transport = new SocketGrpcTransport(new Uri($"http://127.0.0.1:{server.Port}"));
        return new GrpcClient(transport, new GrpcClientOptions { MaxReceiveMessageLength = 100_000 });
    }
}
