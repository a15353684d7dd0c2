namespace Nuncio.DataPlane.Transport.Epoll;

/// <summary>The loops of the process, one per worker, made with the first connection.</summary>
internal static class EpollLoops
{
    private static readonly Lazy<EpollLoop[]> Running = new(Start);
    private static int _next;

    /// <summary>They can be used here: Linux, and not switched off.</summary>
    public static bool IsSupported => Running.Value.Length > 0;

    /// <summary>The loop for a new connection: that of this thread, so that both sides of a request share one; else each in turn.</summary>
    public static EpollLoop Choose()
    {
        if (EpollLoop.Current is { } current)
        {
            return current;
        }

        return Next();
    }

    /// <summary>All of them.</summary>
    public static IReadOnlyList<EpollLoop> All => Running.Value;

    /// <summary>The loop for a connection that was accepted: each in turn, so that none has more of them than others.</summary>
    public static EpollLoop Next()
    {
        var loops = Running.Value;
        return loops[(uint)Interlocked.Increment(ref _next) % (uint)loops.Length];
    }

    private static EpollLoop[] Start()
    {
        if (!OperatingSystem.IsLinux() || SocketRuntime.UsesPlatformEngine)
        {
            return [];
        }

        var loops = new List<EpollLoop>();
        for (var i = 0; i < SocketRuntime.Workers && EpollLoop.Start(i) is { } loop; i++)
        {
            loops.Add(loop);
        }

        return [.. loops];
    }
}
