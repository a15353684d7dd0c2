namespace Nuncio.DataPlane.Http;

/// <summary>Is told when the other side of a stream goes away.</summary>
public interface IStreamAbortHandler
{
    /// <summary>Called at most once, from any thread; must not block.</summary>
    void OnStreamAborted(StreamResetReason reason);
}
