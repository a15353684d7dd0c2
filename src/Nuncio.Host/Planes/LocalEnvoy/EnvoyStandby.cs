using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Overload;
using Nuncio.DataPlane.Telemetry;
using Nuncio.Xds;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>
/// Takes connections in this process while Envoy is gone: sockets of ours listen beside Envoy's, get nothing while those are there, and everything once they
/// are not. The proxy that serves them is made when it is needed, and ends when Envoy is back.
/// </summary>
internal sealed partial class EnvoyStandby : IAsyncDisposable
{
    private const int Backlog = 4096;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortPause = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Handshakes that the kernel has begun for a socket end in its queue, whoever gets new ones.
    private static readonly TimeSpan LastCall = TimeSpan.FromSeconds(1);

    private readonly Func<EnvoyView> _look;
    private readonly IPEndPoint _admin;
    private readonly OverloadOptions _overload;
    private readonly TimeSpan _drainTime;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _leaving = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Dictionary<ListenAddress, StandbyPlace> _places = [];
    private readonly HashSet<ListenAddress> _impossible = [];
    private readonly List<Task> _retiring = [];
    private readonly Task _running;
    private volatile EmbeddedProxy? _proxy;
    private XdsSnapshot? _offered;
    private XdsSnapshot? _wanted;
    private XdsSnapshot? _applied;
    private XdsSnapshot? _accepted;
    private XdsSnapshot? _acceptedOf;
    private ImmutableArray<XdsRejection> _refused = [];
    private IReadOnlySet<ListenAddress> _addresses = ImmutableHashSet<ListenAddress>.Empty;
    private long? _servingSince;
    private long? _neededAt;
    private bool _hasServed;
    private bool _isAway;
    private int _seenEndings;
    private volatile int _endings;
    private volatile int _listening;
    private volatile int _takeovers;

    /// <summary>Begins to look.</summary>
    /// <param name="look">How Envoy is.</param>
    /// <param name="admin">Where Envoy's administration interface listens.</param>
    /// <param name="overload">When the proxy takes no more work.</param>
    /// <param name="drainTime">How long what is open has to end when Envoy is back.</param>
    /// <param name="loggers">For what is to be said.</param>
    /// <param name="time">All time.</param>
    public EnvoyStandby(Func<EnvoyView> look, IPEndPoint admin, OverloadOptions overload, TimeSpan drainTime, ILoggerFactory loggers, TimeProvider time)
    {
        _look = look;
        _admin = admin;
        _overload = overload;
        _drainTime = drainTime;
        _loggers = loggers;
        _time = time;
        _log = loggers.CreateLogger("nuncio.envoy");
        _running = RunAsync();
    }

    /// <summary>Something of Envoy may have changed.</summary>
    public void Look() => _news.Writer.TryWrite(true);

    /// <summary>Envoy's process has ended, and no other has been started yet.</summary>
    public void OnEnded()
    {
        Interlocked.Increment(ref _endings);
        Look();
    }

    /// <summary>Statistics of the proxy while there is one, in Prometheus' text form.</summary>
    public ReadOnlyMemory<byte>? ProxyMetrics()
    {
        if (_proxy is not { } proxy) return null;
        var text = new ArrayBufferWriter<byte>(16384);
        PrometheusTextWriter.Write(proxy.Metrics, text);
        return text.WrittenMemory;
    }

    /// <summary>What is known of the standby itself, in Prometheus' text form.</summary>
    public ReadOnlyMemory<byte> Metrics() => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"""
        # TYPE nuncio_standby_listeners gauge
        nuncio_standby_listeners {_listening}
        # TYPE nuncio_standby_serving gauge
        nuncio_standby_serving {(_proxy is null ? 0 : 1)}
        # TYPE nuncio_standby_takeovers_total counter
        nuncio_standby_takeovers_total {_takeovers}

        """));

    /// <summary>
    /// The end: no connection comes here any more once the task is there that this returns; that one ends when what is open has ended, or its time has.
    /// </summary>
    public async Task<Task> LeaveAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        await _leaving.CancelAsync();
        await _running;
        if (IsReached) await ServeAsync(cancellationToken);
        foreach (var place in _places.Values) place.Socket.Dispose();
        _listening = 0;
        return EndOpenAsync(time, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _ended.CancelAsync();
        await _running;
        foreach (var place in _places.Values) place.Socket.Dispose();
        if (_proxy is { } proxy) await proxy.DisposeAsync();
        await Task.WhenAll(_retiring);
        _leaving.Dispose();
        _ended.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var mayWait = await TryStepAsync(_leaving.Token);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_leaving.Token);
                var news = _news.Reader.WaitToReadAsync(limit.Token).AsTask();
                await Task.WhenAny(news, Task.Delay(mayWait ? Pause : ShortPause, _time, limit.Token));
                await limit.CancelAsync();
                _leaving.Token.ThrowIfCancellationRequested();
                _news.Reader.TryRead(out _);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    // A defect of the standby must neither end it for good nor stand in the way when the gateway ends: Envoy is to be drained then.
    private async Task<bool> TryStepAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await StepAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogDefect(e);
            return true;
        }
    }

    /// <summary>Takes up how things are now. False: it has to be asked again soon.</summary>
    private async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        var endings = _endings;
        var envoy = _look();
        Follow(envoy);
        if (_wanted is null) return true;
        _servingSince = envoy.IsServing ? _servingSince ?? _time.GetTimestamp() : null;
        if (envoy.IsServing && !_hasServed) (_hasServed, _seenEndings) = (true, endings);
        Open(envoy, endings);
        Aim(envoy, endings);
        Say(envoy, endings);
        if (_isAway || IsReached || (_proxy is not null && !ReferenceEquals(_applied, _wanted))) await ServeAsync(cancellationToken);
        if (_proxy is not null && IsOver(_servingSince, LastCall) && IsOver(_neededAt, LastCall)) Retire();
        if (_proxy is null) Close(static place => place.IsLost && !place.Socket.IsReached);
        return !envoy.IsServing || (_proxy is null && (_places.Count + _impossible.Count >= _addresses.Count || IsOver(_servingSince, Patience)));
    }

    private bool IsReached => _places.Values.Any(static place => place.Socket.IsReached);

    private bool IsOver(long? since, TimeSpan time) => since is { } begun && _time.GetElapsedTime(begun) >= time;

    /// <summary>Takes up what Envoy has, or is to have; what nobody is to listen at any more is closed at once.</summary>
    private void Follow(EnvoyView envoy)
    {
        if (envoy.Offered is not { } offered) return;
        var before = _wanted;
        if (envoy.IsServing)
        {
            if (!ReferenceEquals(offered, _acceptedOf) || !_refused.SequenceEqual(envoy.Rejections))
            {
                _accepted = AcceptedSnapshot.Of(offered, _accepted, envoy.Rejections);
                (_acceptedOf, _refused) = (offered, envoy.Rejections);
            }

            _wanted = _accepted;
        }
        else if (!ReferenceEquals(offered, _offered) && !ReferenceEquals(offered, _acceptedOf))
        {
            // What Envoy refused, and is as it was, will be refused again.
            _wanted = _acceptedOf is null ? offered
                : AcceptedSnapshot.Of(offered, _accepted, AcceptedSnapshot.StillRefused(_refused, _acceptedOf, offered));
        }

        _offered = offered;
        if (ReferenceEquals(before, _wanted)) return;
        _addresses = _wanted!.Listeners.Values.SelectMany(static listener => StandbySocket.AddressesOf(listener.Message)).Where(MayListen).ToHashSet();
        _impossible.Clear();
        Close(place => !_addresses.Contains(place.Socket.Address));
    }

    /// <summary>
    /// Opens what is missing: behind Envoy's sockets, or where Envoy is to listen when it is back. Not before Envoy has served: it would get connections then.
    /// </summary>
    private void Open(EnvoyView envoy, int endings)
    {
        if (!_hasServed || (!envoy.IsServing && endings == _seenEndings)) return;
        foreach (var address in _addresses)
        {
            if (_places.ContainsKey(address) || _impossible.Contains(address)) continue;
            var others = StandbySocket.Listeners(address);
            if (others == 0 == envoy.IsServing) continue;
            if (StandbySocket.Open(address, Backlog, others, Look, out var error) is { } socket)
            {
                if (socket.Others != others)
                {
                    // Which of them are before it cannot be known.
                    socket.Dispose();
                    continue;
                }

                var place = new StandbyPlace(socket, others, endings, _time);
                place.Aim(endings, envoy.IsServing);
                socket.Watch();
                _places.Add(address, place);
            }
            else
            {
                _impossible.Add(address);
                LogImpossible(address.EndPoint.ToString(), error);
            }
        }

        _listening = _places.Count;
    }

    /// <summary>An Envoy that cannot bind the port of its administration interface does not start: a listener there is Envoy's to refuse.</summary>
    private bool MayListen(ListenAddress address) => address.EndPoint.Port != _admin.Port;

    private void Aim(EnvoyView envoy, int endings)
    {
        foreach (var place in _places.Values) place.Aim(endings, envoy.IsServing);
    }

    private void Say(EnvoyView envoy, int endings)
    {
        if (!_isAway && _hasServed && endings != _seenEndings && _places.Count > 0)
        {
            _isAway = true;
            _takeovers++;
            LogTakesOver(_places.Count);
        }

        // Making the proxy may have taken longer than Envoy was gone.
        if (envoy.IsServing)
        {
            _seenEndings = endings;
            if (_isAway) LogIsBack();
            _isAway = false;
        }

        if (!_isAway && _proxy is null && IsReached) LogReached();
    }

    private async Task ServeAsync(CancellationToken cancellationToken)
    {
        _neededAt = _time.GetTimestamp();
        _proxy ??= new EmbeddedProxy(_loggers, _time, _overload, address => _places.GetValueOrDefault(address)?.Socket, refusesRoutesAlone: true);
        if (!ReferenceEquals(_applied, _wanted) || IsReached)
        {
            _applied = _wanted;
            foreach (var rejection in (await _proxy.ApplyAsync(_wanted!, cancellationToken)).Rejections)
                LogRefused(rejection.Name, rejection.FieldPath, rejection.Message);

            // A listener that the proxy refuses: whoever waits there would wait for ever.
            foreach (var place in _places.Values.Where(static place => place.Socket.IsReached)) _impossible.Add(place.Socket.Address);
            Close(static place => place.Socket.IsReached);
        }
    }

    /// <summary>Envoy has it back. What is open here goes on until it ends by itself, or its time is over; clients are told to come again.</summary>
    private void Retire()
    {
        var proxy = _proxy!;
        (_proxy, _applied) = (null, null);
        Close(static place => place.IsLost);
        _retiring.RemoveAll(static task => task.IsCompleted);
        _retiring.Add(EndAsync(proxy));
    }

    private async Task EndAsync(EmbeddedProxy proxy)
    {
        try
        {
            await proxy.DrainAsync(_drainTime, _ended.Token);
        }
        catch (OperationCanceledException)
        {
            // The end of the process.
        }

        await proxy.DisposeAsync();

        // What a proxy holds is much, and nothing else here would need that memory soon.
        if (!_ended.IsCancellationRequested && _proxy is null) GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private async Task EndOpenAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        var open = _proxy is { } proxy ? proxy.DrainAsync(time, cancellationToken).AsTask() : Task.CompletedTask;
        try
        {
            await open;
            await Task.WhenAll(_retiring).WaitAsync(time, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // What is still open has had its time.
        }
    }

    private void Close(Func<StandbyPlace, bool> condition)
    {
        foreach (var place in _places.Values.Where(condition).ToList())
        {
            _places.Remove(place.Socket.Address);
            place.Socket.Dispose();
        }

        _listening = _places.Count;
    }

    [LoggerMessage(1, LogLevel.Warning, "Envoy is gone: this process takes its connections at {Addresses} addresses until it is back")]
    private partial void LogTakesOver(int addresses);

    [LoggerMessage(2, LogLevel.Information, "Envoy is back and takes its connections again")]
    private partial void LogIsBack();

    [LoggerMessage(3, LogLevel.Debug, "A connection came to this process although Envoy runs: it is served here")]
    private partial void LogReached();

    [LoggerMessage(4, LogLevel.Information, "No standby for Envoy at {Address}: {Reason}")]
    private partial void LogImpossible(string address, string reason);

    [LoggerMessage(5, LogLevel.Warning, "The standby does without {Name}, {Field}: {Reason}")]
    private partial void LogRefused(string name, string field, string reason);

    [LoggerMessage(6, LogLevel.Error, "The standby for Envoy failed by a defect; it is tried again")]
    private partial void LogDefect(Exception exception);
}
