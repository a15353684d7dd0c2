namespace Nuncio.DataPlane.Transport;

/// <summary>
/// While a thread works through what one read or one turn of a loop brought, connections that it writes to are only noted, and each is flushed once at the
/// end: many small responses leave with one send, and one TLS record.
/// </summary>
internal static class FlushBatch
{
    [ThreadStatic]
    private static int t_depth;

    [ThreadStatic]
    private static IBatchedOutput? t_first;

    /// <summary>Starts a batch; nests.</summary>
    public static void Enter() => t_depth++;

    /// <summary>Ends it; the outermost end flushes.</summary>
    public static void Exit()
    {
        if (t_depth > 1)
        {
            t_depth--;
            return;
        }

        FlushAll();
        t_depth = 0;
    }

    /// <summary>Flushes what was noted until now; the batch stays open, so that what is woken by a flush joins it.</summary>
    public static void FlushAll()
    {
        while (t_first is { } output)
        {
            t_first = output.NextInBatch;
            output.NextInBatch = null;
            output.FlushNow();
        }
    }

    /// <summary>Whether a batch is open on this thread.</summary>
    public static bool IsOpen => t_depth > 0;

    /// <summary>Notes an output, which must not be in any thread's batch.</summary>
    public static void Add(IBatchedOutput output)
    {
        output.NextInBatch = t_first;
        t_first = output;
    }
}
