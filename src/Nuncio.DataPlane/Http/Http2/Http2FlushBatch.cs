namespace Nuncio.DataPlane.Http.Http2;

/// <summary>
/// While a thread works through what one read brought, connections that it writes to are only noted, and each is flushed once at the end: many
/// small responses leave with one send.
/// </summary>
internal static class Http2FlushBatch
{
    [ThreadStatic]
    private static int t_depth;

    [ThreadStatic]
    private static Http2Connection? t_first;

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

        // Still inside, so that what is woken by a flush joins the batch.
        while (t_first is { } connection)
        {
            t_first = connection.NextInBatch;
            connection.NextInBatch = null;
            connection.FlushNow();
        }

        t_depth = 0;
    }

    /// <summary>Whether a batch is open on this thread.</summary>
    public static bool IsOpen => t_depth > 0;

    /// <summary>Notes a connection, which must not be in any thread's batch.</summary>
    public static void Add(Http2Connection connection)
    {
        connection.NextInBatch = t_first;
        t_first = connection;
    }
}
