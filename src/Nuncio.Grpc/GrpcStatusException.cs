namespace Nuncio.Grpc;

/// <summary>A call that did not end well: thrown to callers, and by handlers of a server to say how their call ends.</summary>
public sealed class GrpcStatusException : Exception
{
    /// <summary>With a status.</summary>
    public GrpcStatusException(GrpcStatus status, Exception? cause = null)
        : base(status.ToString(), cause) => Status = status;

    /// <summary>With a status, and what came with it.</summary>
    public GrpcStatusException(GrpcStatus status, GrpcMetadata trailers)
        : this(status) => Trailers = trailers;

    /// <summary>With a code and a text.</summary>
    public GrpcStatusException(GrpcStatusCode code, string message, Exception? cause = null)
        : this(new GrpcStatus(code, message), cause)
    {
    }

    /// <summary>How the call ended.</summary>
    public GrpcStatus Status { get; }

    /// <summary>What came with the status: the trailers of the answer; at a server, trailers to send.</summary>
    public GrpcMetadata Trailers { get; } = GrpcMetadata.Empty;
}
