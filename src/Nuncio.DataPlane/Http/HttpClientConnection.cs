namespace Nuncio.DataPlane.Http;

/// <summary>A connection to an upstream that carries requests: one at a time over HTTP/1.1, many over HTTP/2. Owned by a pool.</summary>
public abstract class HttpClientConnection
{
    /// <summary>The protocol.</summary>
    public abstract HttpProtocolVersion Version { get; }

    /// <summary>How many more streams may be opened now: 0 or 1 for HTTP/1.1; by the peer's SETTINGS and our limit for HTTP/2; 0 once closing.</summary>
    public abstract int AvailableStreams { get; }

    /// <summary>Streams open now.</summary>
    public abstract int ActiveStreams { get; }

    /// <summary>No new stream will ever be possible: closed, GOAWAY, or <c>connection: close</c>.</summary>
    public abstract bool IsClosing { get; }

    /// <summary>The upstream ended it, not we. Of use once it has closed.</summary>
    public abstract bool IsEndedByPeer { get; }

    /// <summary>A request was under way when it ended. Of use once it has closed.</summary>
    public bool EndedInRequest { get; internal set; }

    /// <summary>The pool; set once before the first stream.</summary>
    public IHttpClientConnectionOwner? Owner { get; set; }

    /// <summary>Opens a stream. Only while <see cref="AvailableStreams"/> is above 0; null if that changed in between.</summary>
    public abstract HttpClientStream? OpenStream();

    /// <summary>No new streams; closes when the open ones are done.</summary>
    public abstract void Drain();

    /// <summary>Closes at once; open streams end with <paramref name="reason"/>.</summary>
    public abstract void Close(StreamResetReason reason);
}

/// <summary>Hears of a connection's life. Calls come from any thread and must not block.</summary>
public interface IHttpClientConnectionOwner
{
    /// <summary>A stream ended and the connection can take one again, or the peer allows more.</summary>
    void OnStreamsAvailable(HttpClientConnection connection);

    /// <summary>It closed, or will take no more streams; called once, also for an idle connection that the peer closed.</summary>
    void OnClosed(HttpClientConnection connection);
}
