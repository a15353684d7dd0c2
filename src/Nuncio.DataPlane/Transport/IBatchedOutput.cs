namespace Nuncio.DataPlane.Transport;

/// <summary>Output that a <see cref="FlushBatch"/> holds back.</summary>
internal interface IBatchedOutput
{
    /// <summary>The next one in the thread's batch.</summary>
    IBatchedOutput? NextInBatch { get; set; }

    /// <summary>Sends what was held back; called once for each time that it was noted. Must not block, and no exception may leave.</summary>
    void FlushNow();
}
