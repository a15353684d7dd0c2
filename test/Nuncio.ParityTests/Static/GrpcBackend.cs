using System.Collections.Concurrent;
using Nuncio.EndToEndTests.Features;
using Nuncio.Testing.Backends;

namespace Nuncio.ParityTests.Static;

/// <summary>External authorisation or rate limits over gRPC.</summary>
internal sealed class GrpcBackend(string kind) : IPlaneBackend
{
    private readonly GrpcUpstream _upstream = new(kind, static (_, _) => { });

    public int Port => _upstream.Port;

    public int Connections => 0;

    public ConcurrentQueue<BackendRequest> Requests { get; } = [];

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();
}
