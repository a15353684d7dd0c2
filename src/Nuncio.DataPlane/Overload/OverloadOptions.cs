namespace Nuncio.DataPlane.Overload;

/// <summary>When the proxy takes no more work so that the work it has can end; the actions are those of Envoy's overload manager.</summary>
public sealed record OverloadOptions
{
    /// <summary>The defaults.</summary>
    public static OverloadOptions Default { get; } = new();

    /// <summary>How many bytes of memory the process may use; null: what its control group allows, else what the machine has.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>
    /// How many client connections there may be at once; null: what the limit on open files allows, at two for each connection and some to spare.
    /// </summary>
    public int? MaxConnections { get; init; }

    /// <summary>
    /// A file with a number from 0 to 1 that counts as another pressure (Envoy's <c>injected_resource</c>), to try what happens; null for none. No file, or no
    /// number in it, is no pressure.
    /// </summary>
    public string? InjectedPressureFile { get; init; }

    /// <summary>How often pressures are looked at. Default 250 ms.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// From this part of the memory limit on the heap is collected and given back, at most every 10 s (Envoy's <c>shrink_heap</c>). Default 0.85.
    /// </summary>
    public double ShrinkHeap { get; init; } = 0.85;

    /// <summary>From this pressure on HTTP/1.1 connections close after a response (<c>disable_http_keepalive</c>). Default 0.92.</summary>
    public double DisableKeepAlive { get; init; } = 0.92;

    /// <summary>
    /// From this pressure on requests are answered 503 (<c>stop_accepting_requests</c>); not that of connections, which are work already taken. Default 0.95.
    /// </summary>
    public double StopAcceptingRequests { get; init; } = 0.95;

    /// <summary>From this pressure on new connections are closed at once (<c>reject_incoming_connections</c>). Default 0.98.</summary>
    public double RejectConnections { get; init; } = 0.98;
}
