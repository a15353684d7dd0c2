using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>
/// Lets browsers call gRPC services (envoy.filters.http.grpc_web): requests of gRPC-Web become gRPC, and the trailers of the answer become the last frame of
/// its body (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md).
/// </summary>
internal sealed class GrpcWebFilter : HttpFilter
{
    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        var headers = exchange.RequestHeaders;
        var type = headers.Get(KnownHeader.ContentType);
        if (!IsGrpcWeb(type))
        {
            return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }

        if (IsText(type) && !exchange.RequestHasNoBody)
        {
            exchange.RequestBody = new DecodedBody(exchange.RequestBody);
        }

        exchange.FilterState[Index] = new GrpcWebState(IsText(headers.Get(KnownHeader.Accept)));
        headers.Remove(KnownHeader.ContentLength);
        headers.Set(KnownHeader.ContentType, "application/grpc"u8);
        headers.Set(KnownHeader.Te, "trailers"u8);
        headers.Set("grpc-accept-encoding"u8, "identity"u8);
        exchange.IsGrpcWeb = true;
        return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
    }

    /// <inheritdoc/>
    public override void OnResponseHeaders(HttpExchange exchange, HeaderMap headers, bool endStream)
    {
        if (exchange.FilterState[Index] is not GrpcWebState state)
        {
            return;
        }

        headers.Set(KnownHeader.ContentType, state.IsText ? "application/grpc-web-text+proto"u8 : "application/grpc-web+proto"u8);
        if (!endStream)
        {
            headers.Remove(KnownHeader.ContentLength);
            exchange.ResponseBody = state.Body = new EncodedBody(exchange.ResponseBody, state.IsText);
        }
    }

    /// <inheritdoc/>
    public override void OnResponseTrailers(HttpExchange exchange, HeaderMap trailers)
    {
        if (exchange.FilterState[Index] is GrpcWebState { Body: { } body })
        {
            body.KeepTrailers(trailers);
            trailers.Clear();
        }
    }

    private static bool IsGrpcWeb(ReadOnlySpan<byte> type) =>
        type.SequenceEqual("application/grpc-web"u8) || type.SequenceEqual("application/grpc-web+proto"u8) || IsText(type);

    private static bool IsText(ReadOnlySpan<byte> type) =>
        type.SequenceEqual("application/grpc-web-text"u8) || type.SequenceEqual("application/grpc-web-text+proto"u8);

    private sealed class GrpcWebState(bool isText)
    {
        public bool IsText { get; } = isText;

        public EncodedBody? Body { get; set; }
    }

    // Base64 in pieces: groups of four may be cut anywhere, and each piece that a client encoded by itself ends with padding.
    private sealed class DecodedBody(IBodySource inner) : IBodySource
    {
        private readonly byte[] _kept = new byte[4];
        private int _keptLength;

        public async ValueTask<BodyRead> ReadBodyAsync()
        {
            while (true)
            {
                var read = await inner.ReadBodyAsync();
                if (read.Error != StreamResetReason.None)
                {
                    return read;
                }

                var decoded = new byte[(read.Data.Length + 4) / 4 * 3];
                var length = Decode(read.Data.Span, decoded);
                if (length < 0 || (read.EndStream && _keptLength > 0))
                {
                    return BodyRead.Failed(StreamResetReason.ProtocolError);
                }

                if (length > 0 || read.EndStream)
                {
                    return new BodyRead(decoded.AsMemory(0, length), read.EndStream);
                }
            }
        }

        private int Decode(ReadOnlySpan<byte> text, Span<byte> output)
        {
            var written = 0;
            foreach (var letter in text)
            {
                _kept[_keptLength++] = letter;
                if (_keptLength < 4)
                {
                    continue;
                }

                _keptLength = 0;
                if (Base64.DecodeFromUtf8(_kept, output[written..], out _, out var count) != OperationStatus.Done)
                {
                    return -1;
                }

                written += count;
            }

            return written;
        }
    }

    private sealed class EncodedBody(IBodySink inner, bool isText) : IFinishingBodySink
    {
        private byte[]? _trailers;

        public void KeepTrailers(HeaderMap trailers)
        {
            var frame = new ArrayBufferWriter<byte>(256);
            ReadOnlySpan<byte> prefix = [0x80, 0, 0, 0, 0];
            frame.Write(prefix);
            foreach (var trailer in trailers)
            {
                frame.Write(trailer.Name);
                frame.Write(":"u8);
                frame.Write(trailer.Value);
                frame.Write("\r\n"u8);
            }

            _trailers = frame.WrittenSpan.ToArray();
            BinaryPrimitives.WriteUInt32BigEndian(_trailers.AsSpan(1), (uint)_trailers.Length - 5);
        }

        public ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream) => inner.WriteBodyAsync(Encode(data), endStream);

        public ValueTask FlushAsync() => inner.FlushAsync();

        public async ValueTask FinishAsync()
        {
            if (_trailers is not null)
            {
                await inner.WriteBodyAsync(Encode(_trailers), endStream: false);
                _trailers = null;
            }

            if (inner is IFinishingBodySink sink)
            {
                await sink.FinishAsync();
            }
        }

        private ReadOnlyMemory<byte> Encode(ReadOnlyMemory<byte> data)
        {
            if (!isText || data.IsEmpty)
            {
                return data;
            }

            var text = new byte[Base64.GetMaxEncodedToUtf8Length(data.Length)];
            _ = Base64.EncodeToUtf8(data.Span, text, out _, out var written);
            return text.AsMemory(0, written);
        }
    }
}
