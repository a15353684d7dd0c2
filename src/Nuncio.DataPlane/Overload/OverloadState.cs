using Microsoft.Extensions.Logging;

namespace Nuncio.DataPlane.Overload;

/// <summary>What is refused at the moment. The request path only looks; <see cref="Apply"/> decides.</summary>
public sealed partial class OverloadState
{
    // Of the memory that there is: the rest is for everything else, and for what is left of bodies until it is collected.
    private const double PartForBodies = 0.35;

    private readonly OverloadOptions _options;
    private readonly OverloadMetrics? _metrics;
    private readonly long _bodyLimit;
    private readonly ILogger? _logger;
    private bool _disablesKeepAlive;
    private bool _refusesRequests;
    private bool _rejectsConnections;
    private long _bodyBytes;

    /// <summary>Nothing is refused yet.</summary>
    public OverloadState(OverloadOptions options, OverloadMetrics? metrics = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _metrics = metrics;
        _logger = logger;
        _bodyLimit = (long)(MemoryGauge.Least(options.MemoryLimit) * PartForBodies);
    }

    /// <summary>Never refuses anything, as long as nobody applies a pressure.</summary>
    internal static OverloadState None { get; } = new(OverloadOptions.Default);

    /// <summary>HTTP/1.1 connections close after the response that is under way.</summary>
    public bool DisablesKeepAlive => Volatile.Read(ref _disablesKeepAlive);

    /// <summary>New requests are answered 503.</summary>
    public bool RefusesRequests => Volatile.Read(ref _refusesRequests);

    /// <summary>New connections are closed at once.</summary>
    public bool RejectsConnections => Volatile.Read(ref _rejectsConnections);

    /// <summary>
    /// Asks for memory to keep a part of a body in; false where all requests together would keep more than there is room for. Bodies come faster than
    /// anybody could look at how much memory is left. <see cref="Release"/> gives it back.
    /// </summary>
    public bool TryKeep(long bytes)
    {
        if (Interlocked.Add(ref _bodyBytes, bytes) <= _bodyLimit)
        {
            return true;
        }

        Release(bytes);
        return false;
    }

    /// <summary>Gives back what <see cref="TryKeep"/> has given.</summary>
    public void Release(long bytes) => Interlocked.Add(ref _bodyBytes, -bytes);

    /// <summary>Decides by the pressures of this moment.</summary>
    public void Apply(ResourcePressures pressures)
    {
        var work = Math.Max(pressures.Memory, pressures.Injected);
        var all = Math.Max(work, pressures.Connections);
        Set(ref _disablesKeepAlive, all >= _options.DisableKeepAlive, "disable_http_keepalive", pressures);
        Set(ref _refusesRequests, work >= _options.StopAcceptingRequests, "stop_accepting_requests", pressures);
        Set(ref _rejectsConnections, work >= _options.RejectConnections, "reject_incoming_connections", pressures);
        if (_metrics is { } metrics)
        {
            metrics.MemoryPressure.Set(Percent(pressures.Memory));
            metrics.ConnectionPressure.Set(Percent(pressures.Connections));
            metrics.InjectedPressure.Set(Percent(pressures.Injected));
            metrics.DisableKeepAliveActive.Set(_disablesKeepAlive ? 1 : 0);
            metrics.StopAcceptingRequestsActive.Set(_refusesRequests ? 1 : 0);
            metrics.RejectConnectionsActive.Set(_rejectsConnections ? 1 : 0);
        }
    }

    private static long Percent(double pressure) => (long)Math.Clamp(pressure * 100, 0, 1000);

    private void Set(ref bool action, bool active, string name, ResourcePressures pressures)
    {
        if (action == active)
        {
            return;
        }

        Volatile.Write(ref action, active);
        if (_logger is not { } logger)
        {
            return;
        }

        if (active)
        {
            LogBegins(logger, name, Percent(pressures.Memory), Percent(pressures.Connections), Percent(pressures.Injected));
        }
        else
        {
            LogEnds(logger, name);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Overload: {Action} begins; memory {Memory} %, connections {Connections} %, injected {Injected} %")]
    private static partial void LogBegins(ILogger logger, string action, long memory, long connections, long injected);

    [LoggerMessage(2, LogLevel.Information, "Overload: {Action} ends")]
    private static partial void LogEnds(ILogger logger, string action);
}
