using System.Buffers.Text;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// Gives a local reply its form: what the connection manager's mapping says, and for gRPC a status in the headers (Envoy's prepareLocalReply).
/// </summary>
internal static class LocalReplyBodies
{
    /// <summary>Completes the headers, which may get another status; gives the body.</summary>
    public static ReadOnlyMemory<byte> Finish(PipelineExchange exchange, HeaderMap headers, ReadOnlyMemory<byte> body, LocalReplyModel model)
    {
        var typeBefore = headers.Contains(KnownHeader.ContentType);
        ReadOnlySpan<byte> type = "text/plain"u8;
        if (model.Mappers.Count > 0 || model.Body is not null)
        {
            body = Map(exchange, headers, body, model, ref type);
        }

        if (exchange.IsGrpc)
        {
            FinishGrpc(headers, body);
            return default;
        }

        if (body.IsEmpty)
        {
            headers.Remove(KnownHeader.ContentLength);
            headers.Remove(KnownHeader.ContentType);
            return body;
        }

        Span<byte> length = stackalloc byte[12];
        _ = Utf8Formatter.TryFormat(body.Length, length, out var written);
        headers.Set(KnownHeader.ContentLength, length[..written]);
        if (!typeBefore)
        {
            headers.Set(KnownHeader.ContentType, type);
        }

        return body;
    }

    private static ReadOnlyMemory<byte> Map(
        PipelineExchange exchange, HeaderMap headers, ReadOnlyMemory<byte> body, LocalReplyModel model, ref ReadOnlySpan<byte> type)
    {
        var form = model.Body;
        for (var i = 0; i < model.Mappers.Count; i++)
        {
            var mapper = model.Mappers[i];
            if (!mapper.Filter.Includes(exchange))
            {
                continue;
            }

            body = mapper.Text ?? body;
            HeaderMutations.Apply(mapper.Headers, headers, exchange);
            if (mapper.Status is { } status)
            {
                headers.Status = status;
                exchange.SetStatus(status);
            }

            form = mapper.Body ?? form;
            break;
        }

        if (form is null)
        {
            return body;
        }

        exchange.SetLocalReplyBody(body);
        var buffer = new FormatBuffer();
        form.Format.Write(exchange, buffer);
        type = form.ContentType;
        return buffer.WrittenMemory;
    }

    private static void FinishGrpc(HeaderMap headers, ReadOnlyMemory<byte> body)
    {
        Span<byte> number = stackalloc byte[12];
        if (!headers.Contains(KnownHeader.GrpcStatus))
        {
            _ = Utf8Formatter.TryFormat(GrpcStatusMapping.FromHttp(headers.Status), number, out var written);
            headers.Set(KnownHeader.GrpcStatus, number[..written]);
        }

        headers.Status = 200;
        headers.Set(KnownHeader.ContentType, "application/grpc"u8);
        headers.Remove(KnownHeader.ContentLength);
        if (body.IsEmpty)
        {
            return;
        }

        // Percent-encoded as gRPC wants it: everything but printable ASCII, and the percent sign.
        var text = body.Span.TrimEnd((byte)'\n');
        var message = FormatBuffer.Rent();
        foreach (var value in text)
        {
            if (value is >= 0x20 and <= 0x7E and not (byte)'%')
            {
                message.Write(value);
            }
            else
            {
                message.Write((byte)'%');
                message.Write("0123456789ABCDEF"u8[value >> 4]);
                message.Write("0123456789ABCDEF"u8[value & 15]);
            }
        }

        headers.Set(KnownHeader.GrpcMessage, message.Written);
        message.Return();
    }
}
