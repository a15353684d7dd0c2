using System.Security.Cryptography;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.LoadBalancing;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Tcp;

/// <summary>The TCP proxy as a network filter.</summary>
internal sealed class TcpProxyFilterModel : NetworkFilterModel
{
    private readonly TcpProxyModel _model;
    private readonly ClusterTable _clusters;
    private readonly TimerService _timers;
    private readonly uint _totalWeight;
    private readonly TcpProxyMetrics _metrics;

    public TcpProxyFilterModel(TcpProxyModel model, ClusterTable clusters, TimerService timers, MetricsRegistry metrics)
    {
        _metrics = new TcpProxyMetrics(metrics, model.StatPrefix);
        _model = model;
        _clusters = clusters;
        _timers = timers;
        _totalWeight = (uint)Math.Min(int.MaxValue, model.Clusters.Sum(static cluster => (long)cluster.Weight));
    }

    /// <inheritdoc/>
    internal override IReadOnlyList<AccessLogging.AccessLogModel> AccessLogs => _model.AccessLogs;

    /// <inheritdoc/>
    public override ValueTask<NetworkSession?> BeginAsync(AcceptedConnection connection)
    {
        var name = Choose();
        var cluster = connection.Clusters.Find(name) ?? _clusters.Find(name);
        return new ValueTask<NetworkSession?>(new TcpProxySession(_model, cluster, connection, _timers, HashOf(connection), _metrics));
    }

    private string Choose()
    {
        if (_model.Clusters.Count == 1)
        {
            return _model.Clusters[0].Name;
        }

        var at = (uint)RandomNumberGenerator.GetInt32((int)_totalWeight);
        foreach (var cluster in _model.Clusters)
        {
            if (at < cluster.Weight)
            {
                return cluster.Name;
            }

            at -= cluster.Weight;
        }

        return _model.Clusters[^1].Name;
    }

    private ulong? HashOf(AcceptedConnection connection) =>
        _model.HashSource ? XxHash64.Hash(System.Text.Encoding.ASCII.GetBytes(connection.Connection.RemoteAddress.Address.ToString())) : null;
}
