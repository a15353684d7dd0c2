using System.Buffers.Binary;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tracing;

/// <summary>Reports to an OpenTelemetry collector: OTLP over gRPC or over HTTP with protobuf (opentelemetry.proto.collector.trace.v1).</summary>
internal sealed class OtlpFormat : TraceReportFormat
{
    private static readonly byte[] GrpcPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"u8.ToArray();

    /// <inheritdoc/>
    public override string StatName => "opentelemetry";

    /// <summary>The collector over gRPC; null over HTTP.</summary>
    public GrpcServiceModel? Grpc { get; init; }

    /// <summary>The collector's path over HTTP.</summary>
    public byte[] Path { get; init; } = [];

    /// <summary>The collector's <c>:authority</c> over HTTP.</summary>
    public byte[] Host { get; init; } = [];

    /// <summary>Headers of each report over HTTP.</summary>
    public IReadOnlyList<(byte[] Name, byte[] Value)> Headers { get; init; } = [];

    /// <summary>The proxy's name.</summary>
    public required string ServiceName { get; init; }

    /// <inheritdoc/>
    public override byte[] Write(IReadOnlyList<TraceSpan> spans, HeaderMap headers, bool tls)
    {
        var message = Request(spans);
        if (Grpc is not null)
        {
            GrpcUnary.WriteHead(headers, Grpc, GrpcPath, Timeout, tls);
            var framed = new byte[message.Length + 5];
            BinaryPrimitives.WriteUInt32BigEndian(framed.AsSpan(1), (uint)message.Length);
            message.CopyTo(framed, 5);
            return framed;
        }

        headers.Set(KnownHeader.Method, "POST"u8);
        headers.Set(KnownHeader.Scheme, tls ? "https"u8 : "http"u8);
        headers.Set(KnownHeader.Path, Path);
        headers.Set(KnownHeader.Authority, Host);
        headers.Set(KnownHeader.ContentType, "application/x-protobuf"u8);
        foreach (var (name, value) in Headers)
        {
            headers.Set(name, value);
        }

        Span<byte> length = stackalloc byte[12];
        _ = System.Buffers.Text.Utf8Formatter.TryFormat(message.Length, length, out var written);
        headers.Set(KnownHeader.ContentLength, length[..written]);
        return message;
    }

    private byte[] Request(IReadOnlyList<TraceSpan> spans)
    {
        var scope = new ProtoMessage();
        for (var i = 0; i < spans.Count; i++)
        {
            scope.Message(2, Span(spans[i]));
        }

        var resource = new ProtoMessage();
        resource.Message(1, Attribute("service.name", ServiceName));
        resource.Message(1, Attribute("telemetry.sdk.language", "dotnet"));
        resource.Message(1, Attribute("telemetry.sdk.name", "nuncio"));
        var ofResource = new ProtoMessage();
        ofResource.Message(1, resource);
        ofResource.Message(2, scope);
        var request = new ProtoMessage();
        request.Message(1, ofResource);
        return request.ToArray();
    }

    private static ProtoMessage Span(TraceSpan span)
    {
        var start = (ulong)((span.Start.UtcDateTime - DateTime.UnixEpoch).Ticks * 100);
        var message = new ProtoMessage();
        message.Bytes(1, TraceIdBytes.Of(span, always128: true));
        message.Bytes(2, TraceIdBytes.Of(span.Id));
        message.Text(3, span.State);
        if (span.ParentId != 0)
        {
            message.Bytes(4, TraceIdBytes.Of(span.ParentId));
        }

        message.Text(5, span.Name);
        message.Number(6, span.Kind == TraceSpanKind.Server ? 2UL : 3UL);
        message.Fixed64(7, start);
        message.Fixed64(8, start + (ulong)(span.Duration.Ticks * 100));
        foreach (var (name, value) in span.Tags)
        {
            message.Message(9, Attribute(name, value));
        }

        if (span.IsError)
        {
            var status = new ProtoMessage();
            status.Number(3, 2);
            message.Message(15, status);
        }

        return message;
    }

    private static ProtoMessage Attribute(string name, string value)
    {
        var any = new ProtoMessage();
        any.Text(1, value);
        var attribute = new ProtoMessage();
        attribute.Text(1, name);
        attribute.Message(2, any);
        return attribute;
    }
}
