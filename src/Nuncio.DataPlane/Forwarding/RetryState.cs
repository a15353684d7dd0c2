using System.Buffers.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>What came of asking for a retry.</summary>
internal enum RetryDecision : byte
{
    /// <summary>There is nothing to retry for.</summary>
    No,

    /// <summary>Go on.</summary>
    Yes,

    /// <summary>There have been as many as allowed.</summary>
    LimitExceeded,

    /// <summary>The cluster has too many retries under way.</summary>
    Overflow,
}

/// <summary>Whether and when one request is tried again (Envoy's RetryStateImpl). Embedded in the request's state.</summary>
internal sealed class RetryState
{
    private readonly List<EndpointState> _tried = [];
    private RetryPolicyModel? _policy;
    private RetryOn _on;
    private uint _left;
    private int _pauses;
    private readonly List<int> _headerStatuses = [];
    private string[] _headerNames = [];
    private TimeSpan _asked;
    private ResourceState? _holding;
    private VirtualClusterMetrics? _virtualCluster;
    private bool _retried;

    /// <summary>A retry is possible in principle: the request must be kept.</summary>
    public bool IsPossible => _on != RetryOn.None && _left > 0;

    /// <summary>Reads the policy and the request's own wishes, and removes those headers.</summary>
    public void Begin(RetryPolicyModel? policy, HttpExchange exchange)
    {
        var headers = exchange.RequestHeaders;
        _policy = policy;
        _virtualCluster = exchange.VirtualCluster?.Metrics;
        _pauses = 0;
        _retried = false;
        _headerStatuses.Clear();
        _headerNames = [];
        _asked = TimeSpan.Zero;
        _tried.Clear();
        _on = policy?.RetryOn ?? RetryOn.None;
        _left = policy?.MaxRetries ?? 1;
        if (policy is { RetriableRequestHeaders.Count: > 0 } && !MatchesAny(policy.RetriableRequestHeaders, headers))
        {
            _on = RetryOn.None;
        }

        _on |= Words(headers, KnownHeader.XEnvoyRetryOn) | Words(headers, KnownHeader.XEnvoyRetryGrpcOn);
        if (headers.TryGet(KnownHeader.XEnvoyMaxRetries, out var most))
        {
            if (_on != RetryOn.None && Utf8Parser.TryParse(most, out uint count, out var used) && used == most.Length)
            {
                _left = count;
            }

            headers.Remove(KnownHeader.XEnvoyMaxRetries);
        }

        if (headers.TryGet(KnownHeader.XEnvoyRetriableStatusCodes, out var codes))
        {
            ReadStatuses(codes);
            headers.Remove(KnownHeader.XEnvoyRetriableStatusCodes);
        }

        if (headers.TryGet(KnownHeader.XEnvoyRetriableHeaderNames, out var names))
        {
            _headerNames = System.Text.Encoding.Latin1.GetString(names).ToLowerInvariant()
                .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            headers.Remove(KnownHeader.XEnvoyRetriableHeaderNames);
        }

        headers.Remove(KnownHeader.XEnvoyHedgeOnPerTryTimeout);
    }

    /// <summary>The request is over, or cannot be sent again.</summary>
    public void Stop()
    {
        _on = RetryOn.None;
        LetGo();
    }

    /// <summary>The whole request is over.</summary>
    public void End()
    {
        Stop();
        _tried.Clear();
        _policy = null;
    }

    /// <summary>Remembers an endpoint, so that <see cref="Avoids"/> knows it.</summary>
    public void OnTried(EndpointState endpoint)
    {
        if (_policy is { AvoidPreviousHosts: true } && _on != RetryOn.None)
        {
            _tried.Add(endpoint);
        }
    }

    /// <summary>Another endpoint should be chosen, as long as there have been fewer than the policy's attempts.</summary>
    public bool Avoids(EndpointState endpoint, int selections) =>
        _policy is { } policy && selections < policy.HostSelectionAttempts && _tried.Contains(endpoint);

    /// <summary>A response's head came.</summary>
    public RetryDecision OnResponse(HeaderMap headers, ResourceState resources, ClusterState cluster)
    {
        LetGo();
        if (_on == RetryOn.None || !IsRetriable(headers))
        {
            return Succeeded(cluster);
        }

        _asked = _policy is { ResetHeaders.Count: > 0 } ? AskedPause(headers, cluster.Environment.Timers.Time) : TimeSpan.Zero;
        return Take(resources, cluster);
    }

    /// <summary>There will be no response.</summary>
    public RetryDecision OnReset(StreamResetReason reason, bool requestStarted, ResourceState resources, ClusterState cluster)
    {
        LetGo();
        _asked = TimeSpan.Zero;
        if (reason == StreamResetReason.Overflow || _on == RetryOn.None)
        {
            return RetryDecision.No;
        }

        var connect = reason is StreamResetReason.ConnectionFailure or StreamResetReason.ConnectionTimeout;
        var wanted = (_on & (RetryOn.Reset | RetryOn.ServerError | RetryOn.GatewayError)) != 0
            || ((_on & RetryOn.ResetBeforeRequest) != 0 && !requestStarted)
            || ((_on & RetryOn.ConnectFailure) != 0 && connect)
            || ((_on & RetryOn.RefusedStream) != 0 && reason == StreamResetReason.RemoteRefusedStream);
        return wanted ? Take(resources, cluster) : Succeeded(cluster);
    }

    /// <summary>A try has run out of time and goes on: whether another one begins beside it. As in Envoy the policy's words have no say in that.</summary>
    public RetryDecision OnHedge(ResourceState resources, ClusterState cluster)
    {
        LetGo();
        _asked = TimeSpan.Zero;
        return _on == RetryOn.None ? RetryDecision.No : Take(resources, cluster);
    }

    /// <summary>Whether a response is one to retry for, were there a retry left.</summary>
    public bool WouldRetry(HeaderMap headers) => _on != RetryOn.None && IsRetriable(headers);

    /// <summary>How long to wait before the next try: what the upstream asked for and up to half as much again, or else exponential with full jitter.</summary>
    public TimeSpan NextPause()
    {
        if (_asked > TimeSpan.Zero)
        {
            return _asked * (1 + (Random.Shared.NextDouble() / 2));
        }

        var shortest = _policy?.BackOffBase ?? TimeSpan.FromMilliseconds(25);
        var longest = _policy?.BackOffMax ?? TimeSpan.FromMilliseconds(250);
        var ceiling = shortest * Math.Pow(2, Math.Min(_pauses++, 30));
        return (ceiling < longest ? ceiling : longest) * Random.Shared.NextDouble();
    }

    // What came of a retry gives no reason for another one: it has helped.
    private RetryDecision Succeeded(ClusterState cluster)
    {
        if (_retried)
        {
            _retried = false;
            cluster.Metrics.RequestsRetrySuccess.Increment();
            _virtualCluster?.RequestsRetrySuccess.Increment();
        }

        return RetryDecision.No;
    }

    private RetryDecision Take(ResourceState resources, ClusterState cluster)
    {
        _retried = false;
        if (_left == 0)
        {
            cluster.Metrics.RequestsRetryLimitExceeded.Increment();
            _virtualCluster?.RequestsRetryLimitExceeded.Increment();
            return RetryDecision.LimitExceeded;
        }

        _left--;
        if (!resources.CanRetry)
        {
            cluster.Metrics.RequestsRetryOverflow.Increment();
            _virtualCluster?.RequestsRetryOverflow.Increment();
            return RetryDecision.Overflow;
        }

        resources.AddRetry(1);
        _holding = resources;
        _retried = true;
        cluster.Metrics.RequestsRetry.Increment();
        _virtualCluster?.RequestsRetry.Increment();
        (_asked > TimeSpan.Zero ? cluster.Metrics.RequestsRetryBackoffRateLimited : cluster.Metrics.RequestsRetryBackoffExponential).Increment();
        return RetryDecision.Yes;
    }

    private void LetGo()
    {
        _holding?.AddRetry(-1);
        _holding = null;
    }

    private bool IsRetriable(HeaderMap headers)
    {
        var status = headers.Status;
        if (headers.Contains(KnownHeader.XEnvoyRateLimited))
        {
            return (_on & RetryOn.EnvoyRateLimited) != 0;
        }

        return ((_on & RetryOn.ServerError) != 0 && status >= 500)
            || ((_on & RetryOn.GatewayError) != 0 && status is >= 502 and <= 504)
            || ((_on & RetryOn.Retriable4xx) != 0 && status == 409)
            || ((_on & RetryOn.RetriableStatusCodes) != 0 && IsRetriableStatus(status))
            || ((_on & RetryOn.RetriableHeaders) != 0 && ((_policy != null && MatchesAny(_policy.RetriableHeaders, headers)) || HasNamed(headers)))
            || IsRetriableGrpc(headers);
    }

    private bool IsRetriableStatus(int status)
    {
        if (_headerStatuses.Contains(status))
        {
            return true;
        }

        for (var i = 0; i < (_policy?.RetriableStatusCodes.Count ?? 0); i++)
        {
            if (_policy!.RetriableStatusCodes[i] == status)
            {
                return true;
            }
        }

        return false;
    }

    private bool IsRetriableGrpc(HeaderMap headers)
    {
        const RetryOn Grpc = RetryOn.GrpcCancelled | RetryOn.GrpcDeadlineExceeded | RetryOn.GrpcInternal | RetryOn.GrpcResourceExhausted
            | RetryOn.GrpcUnavailable;
        if ((_on & Grpc) == 0 || !headers.TryGet(KnownHeader.GrpcStatus, out var text) || !Utf8Parser.TryParse(text, out int code, out _))
        {
            return false;
        }

        var flag = code switch
        {
            1 => RetryOn.GrpcCancelled,
            4 => RetryOn.GrpcDeadlineExceeded,
            8 => RetryOn.GrpcResourceExhausted,
            13 => RetryOn.GrpcInternal,
            14 => RetryOn.GrpcUnavailable,
            _ => RetryOn.None,
        };
        return (_on & flag) != 0;
    }

    private bool HasNamed(HeaderMap headers)
    {
        foreach (var name in _headerNames)
        {
            if (headers.TryGet(System.Text.Encoding.Latin1.GetBytes(name), out _))
            {
                return true;
            }
        }

        return false;
    }

    private void ReadStatuses(ReadOnlySpan<byte> list)
    {
        foreach (var range in list.Split((byte)','))
        {
            var item = list[range].Trim((byte)' ');
            if (Utf8Parser.TryParse(item, out int status, out var used) && used == item.Length && _headerStatuses.Count < 64)
            {
                _headerStatuses.Add(status);
            }
        }
    }

    // The first header that says when, unless that is too far away (Envoy: ResetHeaderParserImpl).
    private TimeSpan AskedPause(HeaderMap headers, TimeProvider time)
    {
        foreach (var (name, isUnixTime) in _policy!.ResetHeaders)
        {
            if (!headers.TryGet(name, out var text) || !Utf8Parser.TryParse(text, out long value, out var used) || used != text.Length
                || value is < 0 or > int.MaxValue * 2L)
            {
                continue;
            }

            var pause = TimeSpan.FromSeconds(isUnixTime ? value - time.GetUtcNow().ToUnixTimeSeconds() : value);
            if (pause > TimeSpan.Zero && pause <= _policy.ResetHeaderMax)
            {
                return pause;
            }
        }

        return TimeSpan.Zero;
    }

    private static bool MatchesAny(IReadOnlyList<Matching.HeaderMatcher> matchers, HeaderMap headers)
    {
        for (var i = 0; i < matchers.Count; i++)
        {
            if (matchers[i].IsMatch(headers))
            {
                return true;
            }
        }

        return false;
    }

    private static RetryOn Words(HeaderMap headers, KnownHeader header)
    {
        if (!headers.TryGet(header, out var value))
        {
            return RetryOn.None;
        }

        Span<char> text = stackalloc char[256];
        var length = Math.Min(value.Length, text.Length);
        System.Text.Encoding.Latin1.GetChars(value[..length], text);
        var words = RetryOnWords.ParseList(text[..length], out _);
        headers.Remove(header);
        return words;
    }
}
