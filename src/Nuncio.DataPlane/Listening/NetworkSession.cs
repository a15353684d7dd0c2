namespace Nuncio.DataPlane.Listening;

/// <summary>One connection that a network filter serves.</summary>
public abstract class NetworkSession
{
    /// <summary>Serves until the connection ends, and closes it.</summary>
    public abstract Task RunAsync();

    /// <summary>
    /// The end is near: the client is told so, with the next answer or by GOAWAY, and what it has on its way by then is still served. <see cref="Drain"/>
    /// comes a while later.
    /// </summary>
    public virtual void AnnounceEnd()
    {
    }

    /// <summary>No new work: what is idle closes now, what is busy when it is done.</summary>
    public abstract void Drain();

    /// <summary>Ends it now, from any thread.</summary>
    public abstract void Abort();
}
