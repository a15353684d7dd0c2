using System.Buffers;
using System.Text;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.LoadBalancing;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Overload;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>
/// A copy of a request for another cluster (request_mirror_policies): it goes out while the request comes in, whatever becomes of the request itself, and its
/// answer is dropped. A copy that falls behind holds the client back, as in Envoy; one that there is no memory for is given up.
/// </summary>
internal sealed class MirrorRequest
{
    // What a piece costs beside its bytes: a client that sends one at a time must not have more memory than the limit allows.
    private const int PieceCost = 64;

    private readonly Lock _gate = new();
    private readonly Queue<(byte[] Bytes, int Length)> _waiting = new();
    private readonly Signal _more = new();
    private readonly Signal _room = new();
    private readonly PoolWaiter _waiter = new();
    private readonly ClusterState _cluster;
    private readonly OverloadState _overload;
    private readonly HeaderMap _headers = new();
    private readonly HeaderMap _trailers = new();
    private readonly int _priority;
    private readonly TimeSpan _timeout;
    private readonly long _limit;
    private readonly HttpProtocolVersion _version;
    private readonly ulong _hash;
    private readonly bool _hasHash;
    private bool _isBare;
    private EndpointPool? _pool;
    private EndpointState? _endpoint;
    private volatile bool _timedOut;

    // Guarded by the lock.
    private long _waitingBytes;
    private bool _isComplete;
    private bool _isAbandoned;
    private bool _isOver;
    private bool _isSent;
    private HttpClientStream? _stream;
    private int _holders;
    private ITimer? _timer;

    /// <summary>Copies the headers as the main cluster gets them.</summary>
    /// <param name="cluster">Where it goes.</param>
    /// <param name="policy">What is changed.</param>
    /// <param name="exchange">The request.</param>
    /// <param name="forward">Its route.</param>
    /// <param name="timeout">How long the answer may take once the request is complete; zero for any time.</param>
    /// <param name="limit">How many bytes of the body may wait before the client does.</param>
    public MirrorRequest(ClusterState cluster, MirrorPolicyModel policy, HttpExchange exchange, ForwardModel forward, TimeSpan timeout, long limit)
    {
        _cluster = cluster;
        _overload = exchange.Overload;
        _priority = (int)forward.Priority;
        _timeout = timeout;
        _limit = Math.Max(1, limit);
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

    /// <summary>So much of the body waits that no more should be read for now.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate)
            {
                return _waitingBytes >= _limit && !_isOver;
            }
        }
    }

    /// <summary>Sends it, with the body that <see cref="TryAdd"/> and <see cref="Complete"/> bring.</summary>
    public void Start(bool hasBody)
    {
        _isBare = _isComplete = !hasBody;
        _ = RunAsync();
    }

    /// <summary>Another piece of the body, which is copied. False: there is no memory for it, and the copy is given up.</summary>
    public bool TryAdd(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
        {
            return true;
        }

        bool hasRoom;
        lock (_gate)
        {
            if (_isOver)
            {
                return true;
            }

            var bytes = Rent(data.Length);
            hasRoom = bytes != null;
            if (bytes != null)
            {
                data.CopyTo(bytes);
                _waiting.Enqueue((bytes, data.Length));
                _waitingBytes += data.Length + PieceCost;
            }
            else
            {
                _isAbandoned = _isOver = true;
            }
        }

        _more.Raise();
        if (!hasRoom)
        {
            GiveUp();
        }

        return hasRoom;
    }

    /// <summary>The body is complete.</summary>
    public void Complete(HeaderMap trailers)
    {
        lock (_gate)
        {
            _trailers.AddAll(trailers);
            _isComplete = true;
            StartTimer();
        }

        _more.Raise();
    }

    /// <summary>Completes when <see cref="IsFull"/> may have ended. One waits at a time.</summary>
    public ValueTask WaitForRoomAsync() => _room.WaitAsync();

    /// <summary>The request is over: if it has not come to its end, neither does the copy.</summary>
    public void OnRequestOver()
    {
        lock (_gate)
        {
            if (_isComplete || _isOver)
            {
                return;
            }

            _isAbandoned = _isOver = true;
        }

        GiveUp();
    }

    // "-shadow" comes before the port.
    internal static string Shadow(string host)
    {
        var colon = host.LastIndexOf(':');
        return colon > host.LastIndexOf(']') && colon >= 0 ? host[..colon] + "-shadow" + host[colon..] : host + "-shadow";
    }

    private byte[]? Rent(int length)
    {
        if (!_overload.TryKeep(length + PieceCost))
        {
            return null;
        }

        try
        {
            return ArrayPool<byte>.Shared.Rent(length);
        }
        catch (OutOfMemoryException)
        {
            _overload.Release(length + PieceCost);
            return null;
        }
    }

    private void GiveUp()
    {
        _waiter.Cancel();
        _more.Raise();
        _room.Raise();
        Reset(StreamResetReason.LocalReset);
    }

    private async Task RunAsync()
    {
        // Not inside the request that it copies.
        await Task.Yield();
        try
        {
            using var timer = _cluster.Environment.Timers.Time.CreateTimer(
                static state => ((MirrorRequest)state!).OnTimeout(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            lock (_gate)
            {
                _timer = timer;
                if (_isComplete)
                {
                    StartTimer();
                }
            }

            await SendAsync();
        }
        finally
        {
            lock (_gate)
            {
                _isOver = true;
                _timer = null;
                while (_waiting.TryDequeue(out var piece))
                {
                    Free(piece);
                }
            }

            _room.Raise();
        }
    }

    private async ValueTask SendAsync()
    {
        if (_cluster.Choose(_hash, _hasHash, 0) is not { } endpoint)
        {
            _cluster.Metrics.ConnectionsNoneHealthy.Increment();
            Count(503);
            return;
        }

        _endpoint = endpoint;
        _pool = endpoint.Pool(_priority, _cluster.CodecFor(_version), UpstreamName.Of(_cluster.Model, _headers));
        var lease = await _pool.AcquireAsync(_waiter);
        if (lease.Stream is not { } stream)
        {
            OnNoAnswer(wasSent: false);
            return;
        }

        _cluster.Outlier?.OnConnected(endpoint);
        bool isGone;
        lock (_gate)
        {
            _stream = stream;
            _holders = 1;
            isGone = _isAbandoned || _timedOut;
        }

        if (isGone)
        {
            stream.Reset(StreamResetReason.LocalReset);
            OnNoAnswer(wasSent: false);
        }
        else
        {
            await WriteHeadersAsync(stream);
            var answer = ReadAnswerAsync(stream);
            if (!_isBare)
            {
                await WriteBodyAsync(stream);
            }

            lock (_gate)
            {
                _isSent = true;
            }

            await answer;
        }

        LetGo();
    }

    // It comes from this proxy, which says so as Envoy does.
    private async ValueTask WriteHeadersAsync(HttpClientStream stream)
    {
        HeaderText.Append(_headers, KnownHeader.XForwardedFor, LocalAddress.Text, ","u8);
        _headers.Set(KnownHeader.XEnvoyInternal, "true"u8);
        if (await stream.WriteHeadersAsync(_headers, _isBare) == StreamResetReason.None)
        {
            await stream.FlushAsync();
        }
    }

    private async ValueTask WriteBodyAsync(HttpClientStream stream)
    {
        var error = StreamResetReason.None;
        while (error == StreamResetReason.None)
        {
            (byte[] Bytes, int Length) piece;
            bool isLast;
            lock (_gate)
            {
                if (_isOver)
                {
                    return;
                }

                _waiting.TryDequeue(out piece);
                isLast = _isComplete && _waiting.Count == 0;
            }

            if (piece.Bytes is null && !isLast)
            {
                error = await stream.FlushAsync();
                await _more.WaitAsync();
                continue;
            }

            var ends = isLast && _trailers.Count == 0;
            if (piece.Bytes is not null || ends)
            {
                error = await stream.WriteBodyAsync(piece.Bytes.AsMemory(0, piece.Length), ends);
            }

            if (piece.Bytes is not null)
            {
                lock (_gate)
                {
                    Free(piece);
                }

                _room.Raise();
            }

            if (isLast)
            {
                if (!ends && error == StreamResetReason.None)
                {
                    error = await stream.WriteTrailersAsync(_trailers);
                }

                await stream.FlushAsync();
                return;
            }
        }
    }

    private void Free((byte[] Bytes, int Length) piece)
    {
        _waitingBytes -= piece.Length + PieceCost;
        _overload.Release(piece.Length + PieceCost);
        ArrayPool<byte>.Shared.Return(piece.Bytes);
    }

    private async Task ReadAnswerAsync(HttpClientStream stream)
    {
        ClientHeadersRead head;
        do
        {
            head = await stream.ReadHeadersAsync();
        }
        while (head.Error == StreamResetReason.None && stream.ResponseHeaders.Status is >= 100 and < 200);
        if (head.Error != StreamResetReason.None)
        {
            OnNoAnswer(wasSent: true);
        }
        else
        {
            Count(stream.ResponseHeaders.Status);
            _cluster.OnAnswered(_endpoint!, stream.ResponseHeaders.Status, stream.ResponseHeaders);
            while (!head.EndStream && !(await stream.ReadBodyAsync()).EndStream)
            {
                // The answer is of no interest.
            }
        }

        // Nobody reads what is still to be sent.
        bool isCutShort;
        lock (_gate)
        {
            _isOver = true;
            isCutShort = !_isSent;
        }

        _more.Raise();
        _room.Raise();
        if (isCutShort)
        {
            stream.Reset(StreamResetReason.LocalReset);
        }
    }

    private void OnNoAnswer(bool wasSent)
    {
        if (_timedOut)
        {
            _cluster.Metrics.RequestsTimeout.Increment();
            if (wasSent)
            {
                _cluster.Metrics.RequestsSentReset.Increment();
            }
        }

        if (!_isAbandoned)
        {
            _cluster.Outlier?.OnLocalFailure(_endpoint!);
            Count(_timedOut ? 504 : 503);
        }
    }

    private void OnTimeout()
    {
        _timedOut = true;
        _waiter.Cancel();
        Reset(StreamResetReason.Timeout);
    }

    // Under the lock. As in Envoy the time runs from the end of the request, also while the copy waits for a connection, or for an upstream that does not read.
    private void StartTimer()
    {
        if (_timeout > TimeSpan.Zero)
        {
            _timer?.Change(_timeout, Timeout.InfiniteTimeSpan);
        }
    }

    // The stream goes back to its pool only when nobody can touch it any more.
    private void Reset(StreamResetReason reason)
    {
        HttpClientStream stream;
        lock (_gate)
        {
            if (_stream is null)
            {
                return;
            }

            stream = _stream;
            _holders++;
        }

        stream.Reset(reason);
        LetGo();
    }

    private void LetGo()
    {
        HttpClientStream stream;
        lock (_gate)
        {
            if (--_holders > 0)
            {
                return;
            }

            stream = _stream!;
            _stream = null;
        }

        _pool!.Finish(stream);
    }

    // As Envoy counts what it asks for itself, with the answers that it would make of failures.
    private void Count(int status)
    {
        _cluster.Metrics.Responses.Count(status);
        _cluster.Metrics.InternalResponses.Count(status);
    }
}
