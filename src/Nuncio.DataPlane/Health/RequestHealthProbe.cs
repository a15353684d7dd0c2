using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.Health;

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
            CloseConnection();
            var connect = await Endpoint.Cluster.Environment.Connections.ConnectAsync(
                Address, Endpoint.Cluster.Model, _http2 ? UpstreamCodec.Http2 : UpstreamCodec.Http1, Endpoint.Model.Hostname, null, Endpoint.Cluster.Metrics,
                cancellationToken);
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
        if (!Model.ReuseConnection || (result == HealthProbeResult.NetworkFailed && !KeepsConnection))
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

    /// <summary>A request that failed does not mean that its connection has, unless it has closed.</summary>
    protected abstract bool KeepsConnection { get; }

    protected abstract ValueTask<HealthProbeResult> AskAsync(HttpClientStream stream);

    protected static async ValueTask<ClientHeadersRead> ReadHeadAsync(HttpClientStream stream)
    {
        ClientHeadersRead head;
        do
        {
            head = await stream.ReadHeadersAsync();
        }
        while (head.Error == StreamResetReason.None && stream.ResponseHeaders.Status is >= 100 and < 200);
        return head;
    }

    private void CloseConnection()
    {
        _connection?.Close(StreamResetReason.LocalReset);
        _connection = null;
    }
}
