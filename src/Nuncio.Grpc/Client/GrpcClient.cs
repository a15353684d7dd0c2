using System.Buffers;
using Nuncio.Grpc.Framing;

namespace Nuncio.Grpc.Client;

/// <summary>Calls methods of the service that a transport leads to. For any number of calls at once.</summary>
public sealed class GrpcClient(GrpcTransport transport, GrpcClientOptions options)
{
    /// <summary>With the default options.</summary>
    public GrpcClient(GrpcTransport transport)
        : this(transport, new GrpcClientOptions())
    {
    }

    /// <summary>One message there, one back.</summary>
    /// <exception cref="GrpcStatusException">The call ended otherwise than well.</exception>
    /// <exception cref="OperationCanceledException">The caller gave it up.</exception>
    public async ValueTask<TResponse> UnaryAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, GrpcCallOptions call, CancellationToken cancellation = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var duplex = await OpenAsync(method, request, call, cancellation).ConfigureAwait(false);
        await using (duplex.ConfigureAwait(false))
        {
            var response = await duplex.ReadAsync(cancellation).ConfigureAwait(false)
                ?? throw new GrpcStatusException(GrpcStatusCode.Internal, "The answer holds no message.");
            if (await duplex.ReadAsync(cancellation).ConfigureAwait(false) is not null)
                throw new GrpcStatusException(GrpcStatusCode.Internal, "The answer holds more than one message.");
            return response;
        }
    }

    /// <summary>One message there, any number back.</summary>
    /// <exception cref="GrpcStatusException">There is no connection.</exception>
    public ValueTask<GrpcDuplexCall<TRequest, TResponse>> ServerStreamingAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, GrpcCallOptions call, CancellationToken cancellation = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() => OpenAsync(method, request, call, cancellation);

    /// <summary>Any number of messages there, any number back.</summary>
    /// <exception cref="GrpcStatusException">There is no connection.</exception>
    public ValueTask<GrpcDuplexCall<TRequest, TResponse>> DuplexAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, GrpcCallOptions call, CancellationToken cancellation = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() => OpenAsync(method, request: null, call, cancellation);

    private async ValueTask<GrpcDuplexCall<TRequest, TResponse>> OpenAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest? request, GrpcCallOptions call, CancellationToken cancellation)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(call);
        var deadline = new GrpcDeadline(call.Timeout, options.Time);
        GrpcTransportStream? stream = null;
        byte[]? buffer = null;
        try
        {
            var length = request is null ? 0 : GrpcFrame.LengthOf(request, options.MaxSendMessageLength);
            using var linked = deadline.Link(cancellation);
            stream = await transport.OpenAsync(new GrpcRequestHead(method.Path, HeadersOf(call)), linked.Token).ConfigureAwait(false);
            if (request is not null)
            {
                buffer = ArrayPool<byte>.Shared.Rent(length);
                GrpcFrame.Write(request, buffer.AsSpan(0, length));
                await SendAsync(stream, buffer.AsMemory(0, length), linked.Token).ConfigureAwait(false);
            }

            return new GrpcDuplexCall<TRequest, TResponse>(stream, method, options, deadline);
        }
        catch (Exception e)
        {
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
            var translated = deadline.Translate(e, cancellation);
            deadline.Dispose();
            if (translated is not null) throw translated;
            throw;
        }
        finally
        {
            if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // A server may refuse a call before it has read the request. What it said is what counts, and the reader finds it, or that there is nothing.
    private static async ValueTask SendAsync(GrpcTransportStream stream, ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        try
        {
            await stream.WriteAsync(request, endOfStream: true, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when ((e is IOException or HttpRequestException or OperationCanceledException) && !cancellation.IsCancellationRequested)
        {
        }
    }

    private GrpcMetadata HeadersOf(GrpcCallOptions call)
    {
        var headers = new GrpcMetadata();
        headers.Add("te", "trailers");
        if (call.Timeout is { } timeout) headers.Add("grpc-timeout", GrpcTimeout.Format(timeout));
        headers.Add("content-type", "application/grpc");
        if (options.UserAgent.Length > 0) headers.Add("user-agent", options.UserAgent);
        for (var i = 0; i < call.Headers.Count; i++)
        {
            headers.Add(call.Headers[i].Key, call.Headers[i].Value);
        }

        return headers;
    }
}
