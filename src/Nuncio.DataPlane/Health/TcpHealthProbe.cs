using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Health;

/// <summary>Connects, sends and expects bytes. Where none are expected the connection is all that is asked for; else it is kept for the next time.</summary>
internal sealed class TcpHealthProbe(HealthCheckModel model, TcpHealthProbeModel probe, EndpointState endpoint) : HealthProbe(model, endpoint)
{
    private TransportConnection? _connection;

    public override async ValueTask<HealthProbeResult> CheckAsync(CancellationToken cancellationToken)
    {
        if (_connection is not { HasPeerHungUp: false } connection)
        {
            await CloseAsync();
            var connect = await Endpoint.Cluster.Environment.Connections.ConnectTransportAsync(
                Address, Endpoint.Cluster.Model, [], new(Endpoint.Model.Hostname, null, Endpoint.Cluster.Metrics), cancellationToken);
            if (connect.Connect.Connection is not { } made)
            {
                return HealthProbeResult.NetworkFailed;
            }

            _connection = connection = made;
        }

        bool passed;
        await using (cancellationToken.UnsafeRegister(static state => ((TransportConnection)state!).Abort(), connection))
        {
            passed = (probe.Send.Length == 0 || await connection.WriteAsync(probe.Send)) && (probe.Receive.Count == 0 || await ExpectAsync(connection));
        }

        if (!passed || probe.Receive.Count == 0 || !Model.ReuseConnection || cancellationToken.IsCancellationRequested)
        {
            await CloseAsync();
        }

        return passed ? HealthProbeResult.Passed : HealthProbeResult.NetworkFailed;
    }

    public override void Dispose()
    {
        _connection?.Abort();
        _ = CloseAsync().AsTask();
        base.Dispose();
    }

    private async ValueTask CloseAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }

    private async ValueTask<bool> ExpectAsync(TransportConnection connection)
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
