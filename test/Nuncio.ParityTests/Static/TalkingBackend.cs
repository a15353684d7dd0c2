using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Nuncio.Testing.Backends;

namespace Nuncio.ParityTests.Static;

/// <summary>An upstream with a conversation that keeps nothing.</summary>
internal sealed class TalkingBackend(BackendConversation conversation, X509Certificate2? certificate = null) : IPlaneBackend
{
    private readonly WireBackend _backend = WireBackend.Start(conversation, certificate);

    public int Port => _backend.Port;

    public int Connections => _backend.Accepted;

    public ConcurrentQueue<BackendRequest> Requests => _backend.Requests;

    public ValueTask DisposeAsync() => _backend.DisposeAsync();
}
