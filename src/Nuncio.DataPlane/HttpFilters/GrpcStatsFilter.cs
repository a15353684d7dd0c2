using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>
/// Counts gRPC calls and messages for the clusters they go to (envoy.filters.http.grpc_stats): <c>envoy_cluster_grpc_*</c>, by service and method where the
/// configuration names them or asks for all.
/// </summary>
internal sealed class GrpcStatsFilter : HttpFilter
{
    // Where all methods count, clients name them: beyond so many, new ones count without their names.
    private const int MaxMethods = 2048;
    private const int MaxPathLength = 512;

    private readonly ConcurrentDictionary<(string Cluster, string Path), Counters> _counters = new();
    private int _invented;

    /// <summary>Where counters are.</summary>
    public required MetricsRegistry Metrics { get; init; }

    /// <summary>The cluster of a request.</summary>
    public required ClusterTable Clusters { get; init; }

    /// <summary>Calls of all methods count by name.</summary>
    public bool AllMethods { get; init; }

    /// <summary>Paths that count by name; null for none.</summary>
    public FrozenSet<string>? Methods { get; init; }

    /// <summary>How long upstreams take counts too.</summary>
    public bool UpstreamStats { get; init; }

    /// <summary>Dots in names of services become underscores.</summary>
    public bool ReplaceDots { get; init; }

    private static ReadOnlySpan<byte> WithoutQuery(ReadOnlySpan<byte> path) => path.IndexOf((byte)'?') is >= 0 and var query ? path[..query] : path;

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        if (Routing.GrpcRequests.IsGrpc(exchange.RequestHeaders) && exchange.Forward is not null
            && exchange.FindCluster(exchange.ClusterName, Clusters) is { } cluster)
        {
            var counters = Find(cluster.Model.StatName, Encoding.Latin1.GetString(WithoutQuery(exchange.RequestHeaders.Get(KnownHeader.Path))));
            exchange.FilterState[Index] = counters;
            if (!exchange.RequestHasNoBody)
            {
                exchange.RequestBody = new GrpcFrameCounter.Source(exchange.RequestBody, new GrpcFrameCounter(counters.RequestMessages));
            }
        }

        return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
    }

    /// <inheritdoc/>
    public override void OnResponseHeaders(HttpExchange exchange, HeaderMap headers, bool endStream)
    {
        if (exchange.FilterState[Index] is not Counters counters)
        {
            return;
        }

        if (headers.TryGet(KnownHeader.GrpcStatus, out var status))
        {
            counters.CountStatus(status);
        }

        if (!endStream)
        {
            exchange.ResponseBody = new GrpcFrameCounter.Sink(exchange.ResponseBody, new GrpcFrameCounter(counters.ResponseMessages));
        }
    }

    /// <inheritdoc/>
    public override void OnResponseTrailers(HttpExchange exchange, HeaderMap trailers)
    {
        if (exchange.FilterState[Index] is Counters counters && trailers.TryGet(KnownHeader.GrpcStatus, out var status))
        {
            counters.CountStatus(status);
        }
    }

    /// <inheritdoc/>
    public override void OnComplete(HttpExchange exchange)
    {
        if (UpstreamStats && exchange.FilterState[Index] is Counters { Time: { } time } && exchange.Upstream.RequestStarted != 0)
        {
            time.Record((long)exchange.Clock.GetElapsedTime(exchange.Upstream.RequestStarted, exchange.EndTimestamp).TotalMilliseconds);
        }
    }

    private Counters Find(string cluster, string path)
    {
        var isListed = Methods?.Contains(path) == true;
        var named = (AllMethods || isListed) && path.Length < MaxPathLength ? path : "";
        if (_counters.TryGetValue((cluster, named), out var known))
        {
            return known;
        }

        if (named.Length > 0 && !isListed && Interlocked.Increment(ref _invented) > MaxMethods)
        {
            Interlocked.Decrement(ref _invented);
            named = "";
        }

        return _counters.GetOrAdd(
            (cluster, named), static (key, filter) => new Counters(filter.Metrics, filter.Labels(key.Cluster, key.Path), filter.UpstreamStats), this);
    }

    private MetricLabels Labels(string cluster, string path)
    {
        var labels = MetricLabels.Of("envoy_cluster_name", cluster);
        var slash = path.IndexOf('/', Math.Min(1, path.Length));
        if (slash < 1)
        {
            return labels;
        }

        var service = path[1..slash];
        return labels.And("envoy_grpc_bridge_method", path[(slash + 1)..]).And("envoy_grpc_bridge_service", ReplaceDots ? service.Replace('.', '_') : service);
    }

    private sealed class Counters(MetricsRegistry registry, MetricLabels labels, bool time)
    {
        private readonly MetricCounter _total = registry.Counter("envoy_cluster_grpc_total", labels);
        private readonly MetricCounter _success = registry.Counter("envoy_cluster_grpc_success", labels);
        private readonly MetricCounter _failure = registry.Counter("envoy_cluster_grpc_failure", labels);
        private readonly MetricCounter?[] _byStatus = new MetricCounter?[17];

        public MetricCounter RequestMessages { get; } = registry.Counter("envoy_cluster_grpc_request_message_count", labels);

        public MetricCounter ResponseMessages { get; } = registry.Counter("envoy_cluster_grpc_response_message_count", labels);

        public MetricHistogram? Time { get; } = time ? registry.Histogram("envoy_cluster_grpc_upstream_rq_time", labels) : null;

        public void CountStatus(ReadOnlySpan<byte> text)
        {
            var status = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
            _total.Increment();
            (status == 0 ? _success : _failure).Increment();
            if (status is >= 0 and < 17)
            {
                (_byStatus[status] ??= registry.Counter($"envoy_cluster_grpc_{status}", labels)).Increment();
            }
        }
    }
}
