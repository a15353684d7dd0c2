using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Overload;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Listening;

/// <summary>What all listeners of a process share.</summary>
internal sealed class ListenerEnvironment
{
    private bool _isEnding;

    /// <summary>
    /// How long connections that are to end go on after their clients could know: a request that is on its way to an idle connection, a TLS handshake or a
    /// request head that has begun, is still served.
    /// </summary>
    public static readonly TimeSpan LastCall = TimeSpan.FromSeconds(1);

    public required TimerService Timers { get; init; }

    public required MetricsRegistry Metrics { get; init; }

    public required ILogger Logger { get; init; }

    public required ClusterTable Clusters { get; init; }

    /// <summary>What is refused at the moment.</summary>
    public OverloadState Overload { get; init; } = OverloadState.None;

    /// <summary>
    /// The sockets to listen on, for a proxy that stands by for another program; an address that it has none for is not served. Null: listeners open their own.
    /// </summary>
    public Func<ListenAddress, StandbySocket?>? Standby { get; init; }

    /// <summary>Open connections of all listeners.</summary>
    public ConnectionCount Connections { get; } = new();

    /// <summary>
    /// Of QUIC, those that were accepted when the process was about to end already. A process that takes over gets no packets before this one has closed its
    /// port, so that it goes on accepting to the last; but what comes so late does not hold up the end.
    /// </summary>
    public ConnectionCount LateConnections { get; } = new();

    /// <summary>The process is about to end: who comes now is late.</summary>
    public bool IsEnding
    {
        get => Volatile.Read(ref _isEnding);
        set => Volatile.Write(ref _isEnding, value);
    }
}

/// <summary>Counts open connections, refuses those above a limit, and tells when the last one has gone.</summary>
internal sealed class ConnectionCount
{
    private int _open;
    private TaskCompletionSource? _empty;

    /// <summary>
    /// The most that are served at once; one more is closed at once. By default what the limit on file descriptors allows, two for each connection and some to
    /// spare.
    /// </summary>
    public int Limit { get; set; } = FileLimit();

    /// <summary>The part of <see cref="Limit"/> that is open.</summary>
    public double Pressure => Limit > 0 ? (double)Volatile.Read(ref _open) / Limit : 1;

    // The runtime has raised the soft limit to the hard one when it started.
    private static int FileLimit()
    {
        const string Name = "Max open files";
        const int Spare = 256;
        try
        {
            var line = File.ReadLines("/proc/self/limits").FirstOrDefault(static line => line.StartsWith(Name, StringComparison.Ordinal));
            return line is not null && long.TryParse(line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], out var files)
                ? (int)Math.Clamp((files - Spare) / 2, 64, int.MaxValue) : int.MaxValue;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return int.MaxValue;
        }
    }

    /// <summary>How many are open.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>One more; false when there are too many.</summary>
    public bool TryAdd()
    {
        if (Interlocked.Increment(ref _open) <= Limit)
        {
            return true;
        }

        Remove();
        return false;
    }

    /// <summary>One less.</summary>
    public void Remove()
    {
        if (Interlocked.Decrement(ref _open) == 0)
        {
            Volatile.Read(ref _empty)?.TrySetResult();
        }
    }

    /// <summary>Completes when none is open, now or later. For the end of the process: nothing is accepted any more.</summary>
    public Task WhenEmpty()
    {
        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _empty, empty);
        if (Volatile.Read(ref _open) == 0)
        {
            empty.TrySetResult();
        }

        return empty.Task;
    }
}
