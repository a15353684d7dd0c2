using System.Collections.Frozen;

namespace Nuncio.Grpc.Server;

/// <summary>
/// The methods that a server has. A handler ends its call with another status than Ok by throwing <see cref="GrpcStatusException"/>.
/// </summary>
public sealed class GrpcServiceTable
{
    private readonly Dictionary<string, GrpcServerMethod> _methods = new(StringComparer.Ordinal);

    /// <summary>A method with one message in and one out.</summary>
    public GrpcServiceTable Unary<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<TRequest, GrpcServerContext, ValueTask<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(method, async (requests, responses, context) =>
        {
            var request = await OnlyAsync(requests).ConfigureAwait(false);
            await responses.WriteAsync(await handler(request, context).ConfigureAwait(false)).ConfigureAwait(false);
        });
    }

    /// <summary>A method with one message in and any number out.</summary>
    public GrpcServiceTable ServerStreaming<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<TRequest, GrpcResponseStream<TResponse>, GrpcServerContext, Task> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(method, async (requests, responses, context) =>
        {
            var request = await OnlyAsync(requests).ConfigureAwait(false);
            await handler(request, responses, context).ConfigureAwait(false);
        });
    }

    /// <summary>A method with any number of messages in and out.</summary>
    public GrpcServiceTable Duplex<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<GrpcRequestStream<TRequest>, GrpcResponseStream<TResponse>, GrpcServerContext, Task> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() => Add(method, handler);

    /// <summary>The methods by their path.</summary>
    internal FrozenDictionary<string, GrpcServerMethod> Freeze() => _methods.ToFrozenDictionary(StringComparer.Ordinal);

    private static async ValueTask<TRequest> OnlyAsync<TRequest>(GrpcRequestStream<TRequest> requests)
        where TRequest : class, IMessage<TRequest>, new()
    {
        var request = await requests.ReadAsync().ConfigureAwait(false)
            ?? throw new GrpcStatusException(GrpcStatusCode.Internal, "The request holds no message.");
        return await requests.ReadAsync().ConfigureAwait(false) is null
            ? request : throw new GrpcStatusException(GrpcStatusCode.Internal, "The request holds more than one message.");
    }

    private GrpcServiceTable Add<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<GrpcRequestStream<TRequest>, GrpcResponseStream<TResponse>, GrpcServerContext, Task> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(handler);
        _methods.Add(method.Path, (call, context) => handler(
            new GrpcRequestStream<TRequest>(call.Input, method.RequestParser, call.MaxReceiveMessageLength, context.Cancellation),
            new GrpcResponseStream<TResponse>(call.Output, call.Start, context.Cancellation), context));
        return this;
    }
}

/// <summary>Serves one call of a method.</summary>
internal delegate Task GrpcServerMethod(GrpcServerCall call, GrpcServerContext context);
