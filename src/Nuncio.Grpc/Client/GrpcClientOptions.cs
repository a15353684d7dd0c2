namespace Nuncio.Grpc.Client;

/// <summary>What holds for all calls of a client.</summary>
public sealed record GrpcClientOptions
{
    /// <summary>The largest message that is received, in bytes; 4 MiB.</summary>
    public int MaxReceiveMessageLength { get; init; } = 4 * 1024 * 1024;

    /// <summary>The largest message that is sent, in bytes; no limit.</summary>
    public int MaxSendMessageLength { get; init; } = int.MaxValue - 64;

    /// <summary>The value of <c>user-agent</c>; empty for none.</summary>
    public string UserAgent { get; init; } = "nuncio-grpc";

    /// <summary>The clock of deadlines.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What holds for one call.</summary>
public sealed record GrpcCallOptions
{
    /// <summary>No deadline, no metadata.</summary>
    public static GrpcCallOptions Default { get; } = new();

    /// <summary>How long the call may take, all of it; null for as long as it likes. The server learns it by <c>grpc-timeout</c>.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Headers to send.</summary>
    public GrpcMetadata Headers { get; init; } = GrpcMetadata.Empty;
}
