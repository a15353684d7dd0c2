using System.Buffers;
using System.Text.Json;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tracing;

/// <summary>Reports to Zipkin's collector, version 2 of its API: JSON, or protobuf.</summary>
internal sealed class ZipkinFormat : TraceReportFormat
{
    /// <inheritdoc/>
    public override string StatName => "zipkin";

    /// <summary>The collector's path.</summary>
    public required byte[] Path { get; init; }

    /// <summary>The collector's <c>:authority</c>.</summary>
    public required byte[] Host { get; init; }

    /// <summary>The proxy's name.</summary>
    public required string ServiceName { get; init; }

    /// <summary>Protobuf instead of JSON.</summary>
    public bool IsProto { get; init; }

    /// <inheritdoc/>
    public override byte[] Write(IReadOnlyList<TraceSpan> spans, HeaderMap headers, bool tls)
    {
        headers.Set(KnownHeader.Method, "POST"u8);
        headers.Set(KnownHeader.Scheme, tls ? "https"u8 : "http"u8);
        headers.Set(KnownHeader.Path, Path);
        headers.Set(KnownHeader.Authority, Host);
        headers.Set(KnownHeader.ContentType, IsProto ? "application/x-protobuf"u8 : "application/json"u8);
        var body = IsProto ? Proto(spans) : Json(spans);
        Span<byte> length = stackalloc byte[12];
        _ = System.Buffers.Text.Utf8Formatter.TryFormat(body.Length, length, out var written);
        headers.Set(KnownHeader.ContentLength, length[..written]);
        return body;
    }

    private byte[] Json(IReadOnlyList<TraceSpan> spans)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            for (var i = 0; i < spans.Count; i++)
            {
                var span = spans[i];
                json.WriteStartObject();
                json.WriteString("traceId"u8, TraceIds.Text(span.TraceIdHigh, span.TraceId));
                json.WriteString("name"u8, span.Name);
                json.WriteString("id"u8, TraceIds.Text(span.Id));
                if (span.ParentId != 0)
                {
                    json.WriteString("parentId"u8, TraceIds.Text(span.ParentId));
                }

                json.WriteString("kind"u8, span.Kind == TraceSpanKind.Server ? "SERVER"u8 : "CLIENT"u8);
                json.WriteNumber("timestamp"u8, Microseconds(span));
                json.WriteNumber("duration"u8, Math.Max(1, (long)span.Duration.TotalMicroseconds));
                if (span.IsShared)
                {
                    json.WriteBoolean("shared"u8, true);
                }

                json.WriteStartObject("localEndpoint"u8);
                json.WriteString("serviceName"u8, ServiceName);
                json.WriteString("ipv4"u8, LocalAddress.Value.ToString());
                json.WriteNumber("port"u8, 0);
                json.WriteEndObject();
                json.WriteStartObject("tags"u8);
                foreach (var (name, value) in span.Tags)
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return buffer.WrittenSpan.ToArray();
    }

    // zipkin.proto3.ListOfSpans.
    private byte[] Proto(IReadOnlyList<TraceSpan> spans)
    {
        var list = new ProtoMessage();
        for (var i = 0; i < spans.Count; i++)
        {
            var span = spans[i];
            var message = new ProtoMessage();
            message.Bytes(1, TraceIdBytes.Of(span, always128: false));
            if (span.ParentId != 0)
            {
                message.Bytes(2, TraceIdBytes.Of(span.ParentId));
            }

            message.Bytes(3, TraceIdBytes.Of(span.Id));
            message.Number(4, span.Kind == TraceSpanKind.Client ? 1UL : 2UL);
            message.Text(5, span.Name);
            message.Fixed64(6, (ulong)Microseconds(span));
            message.Number(7, (ulong)Math.Max(1, (long)span.Duration.TotalMicroseconds));
            var endpoint = new ProtoMessage();
            endpoint.Text(1, ServiceName);
            endpoint.Bytes(2, LocalAddress.Value.GetAddressBytes());
            message.Message(8, endpoint);
            foreach (var (name, value) in span.Tags)
            {
                var tag = new ProtoMessage();
                tag.Text(1, name);
                tag.Text(2, value);
                message.Message(11, tag);
            }

            message.Number(13, span.IsShared ? 1UL : 0UL);
            list.Message(1, message);
        }

        return list.ToArray();
    }

    private static long Microseconds(TraceSpan span) => (span.Start.UtcDateTime - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
