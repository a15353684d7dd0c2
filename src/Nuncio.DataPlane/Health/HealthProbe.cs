using System.Net;
using System.Text;
using Nuncio.DataPlane.Upstream;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.Health;

/// <summary>Asks one endpoint one question, over and over.</summary>
internal abstract class HealthProbe : IDisposable
{
    protected HealthProbe(HealthCheckModel model, EndpointState endpoint)
    {
        Model = model;
        Endpoint = endpoint;
    }

    protected HealthCheckModel Model { get; }

    protected EndpointState Endpoint { get; }

    protected IPEndPoint Address
    {
        get
        {
            var port = Endpoint.Model.HealthCheckPort != 0 ? Endpoint.Model.HealthCheckPort : Model.AlternatePort;
            return port == 0 ? Endpoint.Address : new IPEndPoint(Endpoint.Address.Address, port);
        }
    }

    public static HealthProbe Create(HealthCheckModel model, EndpointState endpoint) => model.Probe switch
    {
        HttpHealthProbeModel http => new HttpHealthProbe(model, http, endpoint),
        GrpcHealthProbeModel grpc => new GrpcHealthProbe(model, grpc, endpoint),
        TcpHealthProbeModel tcp => new TcpHealthProbe(model, tcp, endpoint),
        _ => throw new InvalidOperationException("There is no other kind of probe."),
    };

    /// <summary>Asks once; a cancelled token is a timeout.</summary>
    public abstract ValueTask<HealthProbeResult> CheckAsync(CancellationToken cancellationToken);

    public virtual void Dispose()
    {
    }
}

/// <summary>Connects, sends and expects bytes.</summary>
internal sealed class TcpHealthProbe(HealthCheckModel model, TcpHealthProbeModel probe, EndpointState endpoint) : HealthProbe(model, endpoint)
{
    public override async ValueTask<HealthProbeResult> CheckAsync(CancellationToken cancellationToken)
    {
        var connect = await Endpoint.Cluster.Environment.Transports.ConnectAsync(Address, Endpoint.Cluster.Model.Connect, cancellationToken);
        if (connect.Connection is not { } connection)
        {
            return HealthProbeResult.NetworkFailed;
        }

        await using (connection)
        {
            await using var abort = cancellationToken.UnsafeRegister(static state => ((Transport.TransportConnection)state!).Abort(), connection);
            if (probe.Send.Length > 0 && !await connection.WriteAsync(probe.Send))
            {
                return HealthProbeResult.NetworkFailed;
            }

            return probe.Receive.Count == 0 || await ExpectAsync(connection) ? HealthProbeResult.Passed : HealthProbeResult.NetworkFailed;
        }
    }

    private async ValueTask<bool> ExpectAsync(Transport.TransportConnection connection)
    {
        var buffer = new byte[64 * 1024];
        var have = 0;
        while (have < buffer.Length)
        {
            var read = await connection.ReadAsync(buffer.AsMemory(have));
            if (read <= 0)
            {
                return false;
            }

            have += read;
            if (ContainsAll(buffer.AsSpan(0, have)))
            {
                return true;
            }
        }

        return false;
    }

    private bool ContainsAll(ReadOnlySpan<byte> data)
    {
        foreach (var expected in probe.Receive)
        {
            var at = data.IndexOf(expected);
            if (at < 0)
            {
                return false;
            }

            data = data[(at + expected.Length)..];
        }

        return true;
    }
}

/// <summary>Sends a request over a connection of its own, kept for the next time.</summary>
internal abstract class RequestHealthProbe : HealthProbe
{
    private readonly bool _http2;
    private HttpClientConnection? _connection;

    protected RequestHealthProbe(HealthCheckModel model, EndpointState endpoint, bool http2)
        : base(model, endpoint) => _http2 = http2;

    public override async ValueTask<HealthProbeResult> CheckAsync(CancellationToken cancellationToken)
    {
        var stream = _connection is { IsClosing: false } ? _connection.OpenStream() : null;
        if (stream == null)
        {
            var connect = await Endpoint.Cluster.Environment.Connections.ConnectAsync(
                Address, Endpoint.Cluster.Model, _http2 ? UpstreamCodec.Http2 : UpstreamCodec.Http1, Endpoint.Model.Hostname, null, Endpoint.Cluster.Metrics);
            _connection = connect.Connection;
            stream = _connection?.OpenStream();
            if (stream == null)
            {
                return HealthProbeResult.NetworkFailed;
            }
        }

        HealthProbeResult result;
        await using (cancellationToken.UnsafeRegister(static state => ((HttpClientStream)state!).Reset(StreamResetReason.Timeout), stream))
        {
            result = await AskAsync(stream);
        }

        stream.Release();
        if (!Model.ReuseConnection || result == HealthProbeResult.NetworkFailed)
        {
            CloseConnection();
        }

        return result;
    }

    public override void Dispose()
    {
        CloseConnection();
        base.Dispose();
    }

    protected abstract ValueTask<HealthProbeResult> AskAsync(HttpClientStream stream);

    private void CloseConnection()
    {
        _connection?.Close(StreamResetReason.LocalReset);
        _connection = null;
    }

    protected static async ValueTask<bool> ReadHeadAsync(HttpClientStream stream)
    {
        ClientHeadersRead head;
        do
        {
            head = await stream.ReadHeadersAsync();
            if (head.Error != StreamResetReason.None)
            {
                return false;
            }
        }
        while (stream.ResponseHeaders.Status is >= 100 and < 200);
        return true;
    }
}

/// <summary>Sends an HTTP request and looks at the status.</summary>
internal sealed class HttpHealthProbe(HealthCheckModel model, HttpHealthProbeModel probe, EndpointState endpoint)
    : RequestHealthProbe(model, endpoint, probe.UseHttp2)
{
    private readonly HeaderMap _headers = new();

    protected override async ValueTask<HealthProbeResult> AskAsync(HttpClientStream stream)
    {
        Fill();
        if (await stream.WriteHeadersAsync(_headers, true) != StreamResetReason.None || await stream.FlushAsync() != StreamResetReason.None
            || !await ReadHeadAsync(stream))
        {
            return HealthProbeResult.NetworkFailed;
        }

        var status = stream.ResponseHeaders.Status;
        BodyRead read;
        do
        {
            read = await stream.ReadBodyAsync();
        }
        while (!read.EndStream);
        if (read.Error != StreamResetReason.None)
        {
            return HealthProbeResult.NetworkFailed;
        }

        return Contains(probe.ExpectedStatuses, status) ? HealthProbeResult.Passed
            : Contains(probe.RetriableStatuses, status) ? HealthProbeResult.FailedRetriable
            : HealthProbeResult.Failed;
    }

    private void Fill()
    {
        var host = Endpoint.Model.HealthCheckHostname.Length > 0 ? Endpoint.Model.HealthCheckHostname
            : probe.Host.Length > 0 ? probe.Host
            : Endpoint.Cluster.Model.Name;
        _headers.Clear();
        _headers.Add(KnownHeader.Method, Encoding.ASCII.GetBytes(probe.Method));
        _headers.Add(KnownHeader.Scheme, Endpoint.Cluster.Model.Transport is { IsTls: true } ? "https"u8 : "http"u8);
        _headers.Add(KnownHeader.Authority, Encoding.ASCII.GetBytes(host));
        _headers.Add(KnownHeader.Path, Encoding.ASCII.GetBytes(probe.Path));
        _headers.Add(KnownHeader.UserAgent, "Envoy/HC"u8);
        foreach (var (name, value, replace) in probe.AddHeaders)
        {
            var nameBytes = Encoding.ASCII.GetBytes(name);
            if (replace)
            {
                _headers.Set(nameBytes, Encoding.UTF8.GetBytes(value));
            }
            else
            {
                _headers.Add(nameBytes, Encoding.UTF8.GetBytes(value));
            }
        }

        foreach (var name in probe.RemoveHeaders)
        {
            _headers.Remove(Encoding.ASCII.GetBytes(name));
        }
    }

    private static bool Contains(IReadOnlyList<(long Start, long End)> ranges, int status)
    {
        foreach (var (start, end) in ranges)
        {
            if (status >= start && status < end)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Calls <c>grpc.health.v1.Health/Check</c>.</summary>
internal sealed class GrpcHealthProbe : RequestHealthProbe
{
    private const byte Serving = 1;
    private readonly GrpcHealthProbeModel _probe;
    private readonly byte[] _message;
    private readonly HeaderMap _headers = new();

    public GrpcHealthProbe(HealthCheckModel model, GrpcHealthProbeModel probe, EndpointState endpoint)
        : base(model, endpoint, http2: true)
    {
        _probe = probe;
        _message = Message(probe.ServiceName);
    }

    protected override async ValueTask<HealthProbeResult> AskAsync(HttpClientStream stream)
    {
        _headers.Clear();
        _headers.Add(KnownHeader.Method, "POST"u8);
        _headers.Add(KnownHeader.Scheme, Endpoint.Cluster.Model.Transport is { IsTls: true } ? "https"u8 : "http"u8);
        _headers.Add(KnownHeader.Authority, Encoding.ASCII.GetBytes(_probe.Authority.Length > 0 ? _probe.Authority : Endpoint.Cluster.Model.Name));
        _headers.Add(KnownHeader.Path, "/grpc.health.v1.Health/Check"u8);
        _headers.Add(KnownHeader.ContentType, "application/grpc"u8);
        _headers.Add(KnownHeader.Te, "trailers"u8);
        _headers.Add(KnownHeader.UserAgent, "Envoy/HC"u8);
        if (await stream.WriteHeadersAsync(_headers, false) != StreamResetReason.None
            || await stream.WriteBodyAsync(_message, true) != StreamResetReason.None
            || await stream.FlushAsync() != StreamResetReason.None
            || !await ReadHeadAsync(stream))
        {
            return HealthProbeResult.NetworkFailed;
        }

        if (stream.ResponseHeaders.Status != 200)
        {
            return HealthProbeResult.Failed;
        }

        var answer = new List<byte>();
        BodyRead read;
        do
        {
            read = await stream.ReadBodyAsync();
            answer.AddRange(read.Data.Span);
        }
        while (!read.EndStream && answer.Count < 1024);
        if (read.Error != StreamResetReason.None)
        {
            return HealthProbeResult.NetworkFailed;
        }

        var status = stream.ResponseTrailers.Contains(KnownHeader.GrpcStatus)
            ? stream.ResponseTrailers.Get(KnownHeader.GrpcStatus) : stream.ResponseHeaders.Get(KnownHeader.GrpcStatus);
        if (!status.SequenceEqual("0"u8))
        {
            // It has answered, and not that it is well.
            return HealthProbeResult.Failed;
        }

        // A frame of five bytes, then field 1 (status) as a varint.
        return answer.Count >= 7 && answer[5] == 0x08 && answer[6] == Serving ? HealthProbeResult.Passed : HealthProbeResult.Failed;
    }

    // HealthCheckRequest { string service = 1 } in a gRPC frame.
    private static byte[] Message(string service)
    {
        var name = Encoding.UTF8.GetBytes(service);
        var body = new List<byte>();
        if (name.Length > 0)
        {
            body.Add(0x0A);
            var length = name.Length;
            while (length >= 0x80)
            {
                body.Add((byte)(length | 0x80));
                length >>= 7;
            }

            body.Add((byte)length);
            body.AddRange(name);
        }

        return [0, (byte)(body.Count >> 24), (byte)(body.Count >> 16), (byte)(body.Count >> 8), (byte)body.Count, .. body];
    }
}
