namespace Nuncio.DataPlane.Listening;

/// <summary>One connection that a network filter serves.</summary>
public abstract class NetworkSession
{
    /// <summary>Serves until the connection ends, and closes it.</summary>
    public abstract Task RunAsync();

    /// <summary>No new work: what is idle closes now, what is busy when it is done.</summary>
    public abstract void Drain();

    /// <summary>Ends it now, from any thread.</summary>
    public abstract void Abort();
}
