namespace Nuncio.DataPlane.Http.Http1;

/// <summary>Streams that wait for a request; by thread, since requests begin and end on the thread of their socket.</summary>
internal static class Http1ServerStreamPool
{
    private const int MaxPerThread = 2048;

    [ThreadStatic]
    private static Stack<Http1ServerStream>? streams;

    public static Http1ServerStream Rent() => streams is { Count: > 0 } pool ? pool.Pop() : new Http1ServerStream();

    /// <summary>Only streams that ended well: of any other, somebody may still hold a reference.</summary>
    public static void Return(Http1ServerStream stream)
    {
        var pool = streams ??= new Stack<Http1ServerStream>();
        if (pool.Count < MaxPerThread)
        {
            pool.Push(stream);
        }
    }
}
