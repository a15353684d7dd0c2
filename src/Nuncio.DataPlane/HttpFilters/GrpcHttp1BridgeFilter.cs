using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>
/// Lets clients without trailers call gRPC services over HTTP/1.1 (envoy.filters.http.grpc_http1_bridge): the answer is gathered, its status goes into the
/// head, and a call that failed is answered 503.
/// </summary>
internal sealed class GrpcHttp1BridgeFilter : HttpFilter
{
    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        if (exchange.Downstream.Version < HttpProtocolVersion.Http2 && Routing.GrpcRequests.IsGrpc(exchange.RequestHeaders))
        {
            exchange.FilterState[Index] = new Held();
        }

        return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
    }

    /// <inheritdoc/>
    public override void OnResponseHeaders(HttpExchange exchange, HeaderMap headers, bool endStream)
    {
        if (exchange.FilterState[Index] is Held held && !endStream)
        {
            held.Headers = headers;
            exchange.HoldResponse(held);
        }
    }

    /// <inheritdoc/>
    public override void OnResponseTrailers(HttpExchange exchange, HeaderMap trailers)
    {
        if (exchange.FilterState[Index] is not Held { Headers: { } headers })
        {
            return;
        }

        if (trailers.TryGet(KnownHeader.GrpcStatus, out var status))
        {
            if (!status.SequenceEqual("0"u8))
            {
                headers.Status = 503;
            }

            headers.Set(KnownHeader.GrpcStatus, status);
        }

        if (trailers.TryGet(KnownHeader.GrpcMessage, out var message))
        {
            headers.Set(KnownHeader.GrpcMessage, message);
        }

        trailers.Clear();
    }

    private sealed class Held : IHeldResponse
    {
        private const int MaxBodyBytes = 1024 * 1024;

        private readonly MemoryStream _body = new();

        public HeaderMap? Headers { get; set; }

        public ReadOnlyMemory<byte> Replacement => default;

        public ValueTask<bool> OnHeadersAsync(bool endStream) => new(endStream);

        public bool TryKeep(ReadOnlySpan<byte> data)
        {
            if (_body.Length + data.Length > MaxBodyBytes)
            {
                return false;
            }

            _body.Write(data);
            return true;
        }

        public ValueTask<ReadOnlyMemory<byte>> OnBodyAsync()
        {
            Headers!.Set(KnownHeader.ContentLength, Encoding.ASCII.GetBytes(_body.Length.ToString(CultureInfo.InvariantCulture)));
            return new ValueTask<ReadOnlyMemory<byte>>(_body.ToArray());
        }

        public ReadOnlyMemory<byte> GiveUp() => _body.ToArray();
    }
}
