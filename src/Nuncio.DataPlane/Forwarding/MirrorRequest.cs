using System.Text;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.LoadBalancing;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>A copy of a request for another cluster (request_mirror_policies): fire and forget, with no bearing on the request itself.</summary>
internal sealed class MirrorRequest
{
    private readonly ClusterState _cluster;
    private readonly HeaderMap _headers = new();
    private readonly HeaderMap _trailers = new();
    private readonly int _priority;
    private readonly TimeSpan _timeout;
    private readonly HttpProtocolVersion _version;
    private readonly ulong _hash;
    private readonly bool _hasHash;
    private byte[] _body = [];

    /// <summary>Copies the headers as the main cluster gets them.</summary>
    public MirrorRequest(ClusterState cluster, MirrorPolicyModel policy, HttpExchange exchange, ForwardModel forward, TimeSpan timeout)
    {
        _cluster = cluster;
        _priority = (int)forward.Priority;
        _timeout = timeout;
        _version = exchange.Downstream.Version;
        _hasHash = cluster.Model.LoadBalancing.UsesHash && RequestHash.TryCompute(exchange, forward.HashPolicies, out _hash, out _);
        _headers.AddAll(exchange.RequestHeaders);
        if (policy.HostRewriteLiteral != null)
        {
            _headers.Set(KnownHeader.Authority, policy.HostRewriteLiteral);
        }
        else if (policy.AppendShadowSuffix)
        {
            _headers.Set(KnownHeader.Authority, Encoding.Latin1.GetBytes(Shadow(Encoding.Latin1.GetString(_headers.Get(KnownHeader.Authority)))));
        }

        HeaderMutations.Apply(policy.RequestHeaders, _headers, exchange);
    }

    /// <summary>Sends it, now that the body is known.</summary>
    public void Start(byte[] body, HeaderMap? trailers)
    {
        _body = body;
        if (trailers != null)
        {
            _trailers.AddAll(trailers);
        }

        _ = RunAsync();
    }

    // "-shadow" comes before the port.
    internal static string Shadow(string host)
    {
        var colon = host.LastIndexOf(':');
        return colon > host.LastIndexOf(']') && colon >= 0 ? host[..colon] + "-shadow" + host[colon..] : host + "-shadow";
    }

    private async Task RunAsync()
    {
        // Not inside the end of the request that it copies.
        await Task.Yield();
        if (_cluster.Choose(_hash, _hasHash, 0) is not { } endpoint)
        {
            _cluster.Metrics.ConnectionsNoneHealthy.Increment();
            Count(503);
            return;
        }

        var pool = endpoint.Pool(_priority, _cluster.CodecFor(_version), UpstreamName.Of(_cluster.Model, _headers));
        var lease = await pool.AcquireAsync(new PoolWaiter());
        if (lease.Stream is not { } stream)
        {
            Count(503);
            return;
        }

        using var timeout = _timeout > TimeSpan.Zero ? new CancellationTokenSource(_timeout, _cluster.Environment.Timers.Time) : new CancellationTokenSource();
        await using (timeout.Token.UnsafeRegister(static state => ((HttpClientStream)state!).Reset(StreamResetReason.Timeout), stream))
        {
            await ExchangeAsync(stream, timeout.Token);
        }

        pool.Finish(stream);
    }

    // As Envoy counts what it asks for itself, with the answers that it would make of failures.
    private void Count(int status)
    {
        _cluster.Metrics.Responses.Count(status);
        _cluster.Metrics.InternalResponses.Count(status);
    }

    private async ValueTask ExchangeAsync(HttpClientStream stream, CancellationToken timeout)
    {
        // It comes from this proxy, which says so as Envoy does.
        HeaderText.Append(_headers, KnownHeader.XForwardedFor, LocalAddress.Text, ","u8);
        _headers.Set(KnownHeader.XEnvoyInternal, "true"u8);
        var bare = _body.Length == 0 && _trailers.Count == 0;
        await stream.WriteHeadersAsync(_headers, bare);
        if (!bare)
        {
            await stream.WriteBodyAsync(_body, _trailers.Count == 0);
            if (_trailers.Count > 0)
            {
                await stream.WriteTrailersAsync(_trailers);
            }
        }

        await stream.FlushAsync();
        ClientHeadersRead head;
        do
        {
            head = await stream.ReadHeadersAsync();
        }
        while (head.Error == StreamResetReason.None && stream.ResponseHeaders.Status is >= 100 and < 200);
        if (head.Error != StreamResetReason.None)
        {
            if (timeout.IsCancellationRequested)
            {
                _cluster.Metrics.RequestsTimeout.Increment();
                _cluster.Metrics.RequestsSentReset.Increment();
            }

            Count(timeout.IsCancellationRequested ? 504 : 503);
            return;
        }

        Count(stream.ResponseHeaders.Status);
        while (!head.EndStream && !(await stream.ReadBodyAsync()).EndStream)
        {
            // The answer is of no interest.
        }
    }
}
