namespace Nuncio.DataPlane.External;

/// <summary>How a call of the proxy's own ended.</summary>
internal enum UpstreamCallEnd : byte
{
    /// <summary>With a response, whatever its status.</summary>
    Answered,

    /// <summary>No endpoint, no connection, or the response broke off.</summary>
    Failed,

    /// <summary>It took too long.</summary>
    TimedOut,

    /// <summary>The response is larger than was allowed.</summary>
    TooLarge,

    /// <summary>The client that it was made for went away.</summary>
    ClientGone,
}
