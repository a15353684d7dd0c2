using System.Collections.Concurrent;
using Nuncio.Testing.Backends;

namespace Nuncio.ParityTests.Static;

/// <summary>An upstream of one plane.</summary>
internal interface IPlaneBackend : IAsyncDisposable
{
    int Port { get; }

    /// <summary>How many connections it has taken.</summary>
    int Connections { get; }

    /// <summary>What it was asked so far.</summary>
    ConcurrentQueue<BackendRequest> Requests { get; }
}
