namespace Nuncio.XdsServer.Clients;

/// <summary>What all clients have accepted and what they refuse.</summary>
public sealed class AckTracker
{
    private readonly Lock _gate = new();
    private long _refusedResponses;
    private ImmutableSortedDictionary<long, XdsClientState> _clients = ImmutableSortedDictionary<long, XdsClientState>.Empty;

    /// <summary>How many responses were refused, by whomever, since the start.</summary>
    public long RefusedResponses => Volatile.Read(ref _refusedResponses);

    /// <summary>Told after anything of it changed; on the thread of the stream that changed it, so it must be short.</summary>
    public event Action? Changed;

    /// <summary>All clients, in the order in which they came.</summary>
    public IReadOnlyCollection<XdsClientState> Clients => [.. Volatile.Read(ref _clients).Values];

    /// <summary>What clients refuse, each once whoever refuses it.</summary>
    public ImmutableArray<XdsRejection> Rejections => [.. Volatile.Read(ref _clients).Values.SelectMany(client => client.Rejections).Distinct()];

    /// <summary>There is a client, and each has accepted this revision or a later one as far as it refused nothing.</summary>
    public bool HasAccepted(long revision)
    {
        var clients = Volatile.Read(ref _clients);
        return !clients.IsEmpty && clients.Values.All(client => client.Revision >= revision);
    }

    internal void Update(XdsClientState client)
    {
        lock (_gate)
        {
            if (_clients.TryGetValue(client.Stream, out var known) && IsSame(known, client)) return;
            _clients = _clients.SetItem(client.Stream, client);
        }

        Changed?.Invoke();
    }

    internal void CountRefusal() => Interlocked.Increment(ref _refusedResponses);

    internal void Remove(long stream)
    {
        lock (_gate) _clients = _clients.Remove(stream);
        Changed?.Invoke();
    }

    private static bool IsSame(XdsClientState a, XdsClientState b) =>
        a with { Rejections = [] } == b with { Rejections = [] } && a.Rejections.SequenceEqual(b.Rejections);
}
