using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Nuncio.DataPlane.Http;
using Nuncio.Grpc;
using Nuncio.Grpc.Framing;

namespace Nuncio.DataPlane.External;

/// <summary>A unary gRPC call over the proxy's clusters: one message there, one back, read whole.</summary>
internal static class GrpcUnary
{
    /// <summary>The message of the status where the client that a call was made for went away.</summary>
    public const string ClientGone = "The client went away.";

    /// <summary>Calls a method.</summary>
    /// <returns>The message, or null with why there is none. Where the client went away the status is Cancelled.</returns>
    public static async ValueTask<(TResponse? Response, GrpcStatus Status)> CallAsync<TRequest, TResponse>(
        UpstreamCalls calls, GrpcServiceModel service, GrpcMethod<TRequest, TResponse> method, byte[] path, TRequest request, TimeSpan timeout,
        HttpServerStream? client)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        if ((client?.Clusters?.Find(service.Cluster) ?? calls.Clusters.Find(service.Cluster)) is not { } cluster)
        {
            return (null, new GrpcStatus(GrpcStatusCode.Unavailable, "Cluster not available"));
        }

        var length = GrpcFrame.PrefixLength + request.CalculateSize();
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        var call = calls.Rent();
        try
        {
            GrpcFrame.Write(request, buffer.AsSpan(0, length));
            WriteHead(call, service, path, timeout, cluster.Model.Transport is { IsTls: true });
            var end = await call.SendAsync(cluster, buffer.AsMemory(0, length), timeout, service.MaxReceiveMessageBytes + GrpcFrame.PrefixLength, client);
            return end == UpstreamCallEnd.Answered ? Read(call, method.ResponseParser, service.MaxReceiveMessageBytes) : (null, StatusOf(end));
        }
        finally
        {
            calls.Return(call);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The head of a gRPC request as Envoy's has it.</summary>
    public static void WriteHead(HeaderMap headers, GrpcServiceModel service, ReadOnlySpan<byte> path, TimeSpan timeout, bool tls)
    {
        headers.Set(KnownHeader.Method, "POST"u8);
        headers.Set(KnownHeader.Scheme, tls ? "https"u8 : "http"u8);
        headers.Set(KnownHeader.Path, path);
        headers.Set(KnownHeader.Authority, service.Authority);
        headers.Set(KnownHeader.Te, "trailers"u8);
        if (timeout > TimeSpan.Zero)
        {
            Span<byte> text = stackalloc byte[24];
            _ = Utf8Formatter.TryFormat((long)timeout.TotalMilliseconds, text, out var written);
            text[written++] = (byte)'m';
            headers.Set(KnownHeader.GrpcTimeout, text[..written]);
        }

        headers.Set(KnownHeader.ContentType, "application/grpc"u8);
        for (var i = 0; i < service.Metadata.Count; i++)
        {
            headers.Add(service.Metadata[i].Name, service.Metadata[i].Value);
        }
    }

    private static void WriteHead(UpstreamCall call, GrpcServiceModel service, byte[] path, TimeSpan timeout, bool tls)
    {
        WriteHead(call.RequestHeaders, service, path, timeout, tls);
        if (!service.SkipEnvoyHeaders)
        {
            call.AddEnvoyHeaders(timeout, forwardedFor: true);
        }
    }

    private static (TResponse? Response, GrpcStatus Status) Read<TResponse>(UpstreamCall call, MessageParser<TResponse> parser, int maxLength)
        where TResponse : class, IMessage<TResponse>
    {
        if (call.ResponseHeaders.Status != 200)
        {
            var stated = StatusIn(call.ResponseHeaders);
            return (null, stated is { IsOk: false } other ? other
                : new GrpcStatus(GrpcStatus.FromHttp(call.ResponseHeaders.Status), "The answer has another HTTP status than 200."));
        }

        var status = StatusIn(call.ResponseTrailers) ?? StatusIn(call.ResponseHeaders) ?? new GrpcStatus(GrpcStatusCode.Unknown, "The answer has no status.");
        if (!status.IsOk)
        {
            return (null, status);
        }

        var body = call.ResponseBody.Span;
        try
        {
            if (body.Length < GrpcFrame.PrefixLength || GrpcFrame.ReadPrefix(body, maxLength) != body.Length - GrpcFrame.PrefixLength)
            {
                return (null, new GrpcStatus(GrpcStatusCode.Internal, "The answer is not one message."));
            }

            return (GrpcFrame.Parse(parser, body[GrpcFrame.PrefixLength..]), status);
        }
        catch (GrpcStatusException e)
        {
            return (null, e.Status);
        }
    }

    private static GrpcStatus? StatusIn(HeaderMap headers)
    {
        if (!headers.TryGet(KnownHeader.GrpcStatus, out var code))
        {
            return null;
        }

        var text = Encoding.Latin1.GetString(headers.Get(KnownHeader.GrpcMessage));
        return int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new GrpcStatus((GrpcStatusCode)number, GrpcStatusText.Decode(text))
            : new GrpcStatus(GrpcStatusCode.Unknown, "The answer's grpc-status is no number.");
    }

    private static GrpcStatus StatusOf(UpstreamCallEnd end) => end switch
    {
        UpstreamCallEnd.TimedOut => new GrpcStatus(GrpcStatusCode.DeadlineExceeded, "The call took longer than allowed."),
        UpstreamCallEnd.ClientGone => new GrpcStatus(GrpcStatusCode.Cancelled, ClientGone),
        UpstreamCallEnd.TooLarge => new GrpcStatus(GrpcStatusCode.ResourceExhausted, "The answer is larger than allowed."),
        _ => new GrpcStatus(GrpcStatusCode.Unavailable, "The service cannot be reached."),
    };
}
