namespace Nuncio.XdsServer;

/// <summary>Holds the snapshot that clients should have, and tells streams of each new one. A stream that is slow meets the newest alone.</summary>
internal sealed class XdsSnapshotHub
{
    private volatile State _state = new(null);

    /// <summary>The newest snapshot, null before the first, with what tells of the next.</summary>
    public State Current => _state;

    /// <summary>Makes a snapshot the newest.</summary>
    public void Publish(XdsSnapshot snapshot)
    {
        var before = Interlocked.Exchange(ref _state, new State(snapshot));
        before.Replace();
    }

    /// <summary>A snapshot until the next one.</summary>
    internal sealed class State(XdsSnapshot? snapshot)
    {
        private readonly TaskCompletionSource _replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public XdsSnapshot? Snapshot => snapshot;

        /// <summary>Completes when another one is the newest.</summary>
        public Task Replaced => _replaced.Task;

        public void Replace() => _replaced.TrySetResult();
    }
}
