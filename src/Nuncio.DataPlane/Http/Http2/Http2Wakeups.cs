namespace Nuncio.DataPlane.Http.Http2;

/// <summary>
/// What has to be called once a connection's lock is released: readers and writers that can go on, abort handlers, ends of streams. Gathered in a
/// stack per thread, because what is called may gather more; calling foreign code under the lock could deadlock, so nothing does.
/// </summary>
internal static class Http2Wakeups
{
    [ThreadStatic]
    private static List<Wakeup>? t_wakeups;

    private enum Kind : byte
    {
        Read,
        Write,
        Headers,
        Abort,
        Closed,
    }

    /// <summary>The place from which <see cref="Run"/> is to call what the following lines add.</summary>
    public static int Mark() => (t_wakeups ??= new List<Wakeup>(16)).Count;

    /// <summary>A reader gets its piece.</summary>
    public static void AddRead(Http2Stream stream, BodyRead read) => t_wakeups!.Add(new Wakeup { Stream = stream, Kind = Kind.Read, Read = read });

    /// <summary>A writer may go on, or learns why not.</summary>
    public static void AddWrite(Http2Stream stream, StreamResetReason reason) =>
        t_wakeups!.Add(new Wakeup { Stream = stream, Kind = Kind.Write, Reason = reason });

    /// <summary>A reader of a head gets it.</summary>
    public static void AddHeaders(Http2Stream stream, ClientHeadersRead read) =>
        t_wakeups!.Add(new Wakeup { Stream = stream, Kind = Kind.Headers, EndStream = read.EndStream, Reason = read.Error });

    /// <summary>An abort handler is told.</summary>
    public static void AddAbort(Http2Stream stream, IStreamAbortHandler handler, StreamResetReason reason) =>
        t_wakeups!.Add(new Wakeup { Stream = stream, Kind = Kind.Abort, Handler = handler, Reason = reason });

    /// <summary>The stream no longer counts as open on its connection.</summary>
    public static void AddClosed(Http2Stream stream) => t_wakeups!.Add(new Wakeup { Stream = stream, Kind = Kind.Closed });

    /// <summary>Calls everything that was added since <paramref name="mark"/>. Not under any lock.</summary>
    public static void Run(int mark)
    {
        var wakeups = t_wakeups!;
        if (wakeups.Count == mark)
        {
            return;
        }

        for (var i = mark; i < wakeups.Count; i++)
        {
            // A copy: what is called may add, and removes what it added.
            var wakeup = wakeups[i];
            switch (wakeup.Kind)
            {
                case Kind.Read:
                    wakeup.Stream.CompleteRead(wakeup.Read);
                    break;
                case Kind.Write:
                    wakeup.Stream.CompleteWrite(wakeup.Reason);
                    break;
                case Kind.Headers:
                    wakeup.Stream.CompleteHeaders(new ClientHeadersRead(wakeup.EndStream, wakeup.Reason));
                    break;
                case Kind.Abort:
                    CallHandler(wakeup.Handler!, wakeup.Reason);
                    wakeup.Stream.Connection.OnAbortHandled(wakeup.Stream);
                    break;
                default:
                    wakeup.Stream.Connection.OnStreamClosed(wakeup.Stream);
                    break;
            }
        }

        wakeups.RemoveRange(mark, wakeups.Count - mark);
    }

    // A fault in one stream's handler must not keep the other streams from being told.
    private static void CallHandler(IStreamAbortHandler handler, StreamResetReason reason)
    {
        try
        {
            handler.OnStreamAborted(reason);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            System.Diagnostics.Debug.Fail(e.ToString());
        }
    }

    private struct Wakeup
    {
        public Http2Stream Stream;
        public IStreamAbortHandler? Handler;
        public BodyRead Read;
        public StreamResetReason Reason;
        public Kind Kind;
        public bool EndStream;
    }
}
