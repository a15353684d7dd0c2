using System.Globalization;
using System.Text;
using Google.Protobuf;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.Health;

/// <summary>
/// Calls <c>grpc.health.v1.Health/Check</c>. Any answer but one well-formed SERVING with a grpc-status of 0 in its trailers is a failure at once.
/// </summary>
internal sealed class GrpcHealthProbe : RequestHealthProbe
{
    private const int FrameHead = 5;
    private const int MaxAnswer = 64 * 1024;
    private const ulong Serving = 1;
    private readonly GrpcHealthProbeModel _probe;
    private readonly byte[] _message;
    private readonly byte[] _timeout;
    private readonly HeaderMap _headers = new();

    public GrpcHealthProbe(HealthCheckModel model, GrpcHealthProbeModel probe, EndpointState endpoint)
        : base(model, endpoint, http2: true)
    {
        _probe = probe;
        _message = Message(probe.ServiceName);
        _timeout = Timeout(model.Timeout);
    }

    protected override bool KeepsConnection => true;

    protected override async ValueTask<HealthProbeResult> AskAsync(HttpClientStream stream)
    {
        _headers.Clear();
        _headers.Add(KnownHeader.Method, "POST"u8);
        _headers.Add(KnownHeader.Scheme, Endpoint.Cluster.Model.Transport is { IsTls: true } ? "https"u8 : "http"u8);
        _headers.Add(KnownHeader.Authority, Encoding.ASCII.GetBytes(HostName(_probe.Authority)));
        _headers.Add(KnownHeader.Path, "/grpc.health.v1.Health/Check"u8);
        _headers.Add(KnownHeader.ContentType, "application/grpc"u8);
        _headers.Add(KnownHeader.Te, "trailers"u8);
        _headers.Add(KnownHeader.UserAgent, "Envoy/HC"u8);
        _headers.Add("grpc-timeout"u8, _timeout);
        if (await stream.WriteHeadersAsync(_headers, false) != StreamResetReason.None
            || await stream.WriteBodyAsync(_message, true) != StreamResetReason.None
            || await stream.FlushAsync() != StreamResetReason.None)
        {
            return HealthProbeResult.NetworkFailed;
        }

        var head = await ReadHeadAsync(stream);
        if (head.Error != StreamResetReason.None)
        {
            return HealthProbeResult.NetworkFailed;
        }

        // Without a message it cannot say that it serves.
        if (head.EndStream || stream.ResponseHeaders.Status != 200 || !IsGrpc(stream.ResponseHeaders.Get(KnownHeader.ContentType)))
        {
            return GiveUp(stream, head.EndStream);
        }

        var answer = new List<byte>();
        BodyRead read;
        do
        {
            read = await stream.ReadBodyAsync();
            answer.AddRange(read.Data.Span);
        }
        while (!read.EndStream && answer.Count < MaxAnswer);
        if (read.Error != StreamResetReason.None)
        {
            return HealthProbeResult.NetworkFailed;
        }

        if (!read.EndStream)
        {
            return GiveUp(stream, hasEnded: false);
        }

        return stream.ResponseTrailers.Get(KnownHeader.GrpcStatus).SequenceEqual("0"u8) && IsServing([.. answer])
            ? HealthProbeResult.Passed
            : HealthProbeResult.Failed;
    }

    // What it says further is of no interest.
    private static HealthProbeResult GiveUp(HttpClientStream stream, bool hasEnded)
    {
        if (!hasEnded)
        {
            stream.Reset(StreamResetReason.LocalReset);
        }

        return HealthProbeResult.Failed;
    }

    private static bool IsGrpc(ReadOnlySpan<byte> contentType) =>
        contentType.StartsWith("application/grpc"u8) && (contentType.Length == "application/grpc".Length || contentType["application/grpc".Length] == '+');

    // Frames of five bytes and a message; empty messages are passed over, and there must be one other, HealthCheckResponse { ServingStatus status = 1 }.
    private static bool IsServing(byte[] answer)
    {
        var hasMessage = false;
        var status = 0UL;
        for (var at = 0; at < answer.Length;)
        {
            if (answer.Length - at < FrameHead)
            {
                return false;
            }

            var length = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(at + 1));
            var isPlain = answer[at] == 0;
            at += FrameHead;
            if (length > answer.Length - at)
            {
                return false;
            }

            if (length > 0)
            {
                if (hasMessage || !isPlain || !TryReadStatus(answer.AsSpan(at, (int)length).ToArray(), out status))
                {
                    return false;
                }

                hasMessage = true;
                at += (int)length;
            }
        }

        return hasMessage && status == Serving;
    }

    private static bool TryReadStatus(byte[] message, out ulong status)
    {
        status = 0;
        try
        {
            var input = new CodedInputStream(message);
            for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            {
                if (tag == WireFormat.MakeTag(1, WireFormat.WireType.Varint))
                {
                    status = input.ReadUInt64();
                }
                else
                {
                    input.SkipLastField();
                }
            }

            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    // HealthCheckRequest { string service = 1 } in a gRPC frame.
    private static byte[] Message(string service)
    {
        byte[] body = [];
        if (service.Length > 0)
        {
            body = new byte[CodedOutputStream.ComputeTagSize(1) + CodedOutputStream.ComputeStringSize(service)];
            var output = new CodedOutputStream(body);
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteString(service);
            output.Flush();
        }

        return [0, (byte)(body.Length >> 24), (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    // At most eight digits (gRPC over HTTP/2).
    private static byte[] Timeout(TimeSpan timeout)
    {
        var (value, unit) = ((long)timeout.TotalMilliseconds, 'm');
        if (value > 99_999_999)
        {
            (value, unit) = (value / 1000, 'S');
        }

        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{value}{unit}"));
    }
}
