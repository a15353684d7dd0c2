using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Upstream;

/// <summary>What a pool knows of one of its connections.</summary>
internal sealed class PooledConnection(EndpointPool pool, HttpClientConnection connection, long createdAt, uint requestsLeft) : IHttpClientConnectionOwner
{
    public HttpClientConnection Connection { get; } = connection;

    /// <summary>Milliseconds of the timer service's clock.</summary>
    public long CreatedAt { get; } = createdAt;

    /// <summary>Since when nothing was under way.</summary>
    public long IdleSince = createdAt;

    /// <summary>Requests it may still take; 0 is without limit.</summary>
    public uint RequestsLeft = requestsLeft;

    /// <summary>Requests it has taken.</summary>
    public long Requests;

    /// <summary>It is among the ready ones.</summary>
    public bool IsReady;

    /// <summary>It has left the pool.</summary>
    public bool IsGone;

    /// <summary>Its place in the list of all.</summary>
    public int Index;

    public void OnStreamsAvailable(HttpClientConnection connection) => pool.OnStreamsAvailable(this);

    public void OnClosed(HttpClientConnection connection) => pool.OnClosed(this);
}
