namespace Nuncio.Grpc;

/// <summary>How a call ended, with what the peer said about it.</summary>
/// <param name="Code">The code; numbers that gRPC does not define are kept.</param>
/// <param name="Message">The text; empty where there is none.</param>
public readonly record struct GrpcStatus(GrpcStatusCode Code, string Message)
{
    /// <summary>All is well.</summary>
    public static GrpcStatus Ok => new(GrpcStatusCode.Ok, string.Empty);

    /// <summary>Whether the call succeeded.</summary>
    public bool IsOk => Code == GrpcStatusCode.Ok;

    /// <summary>What an answer that is no gRPC answer stands for (gRPC's http-grpc-status-mapping.md).</summary>
    public static GrpcStatusCode FromHttp(int status) => status switch
    {
        400 => GrpcStatusCode.Internal,
        401 => GrpcStatusCode.Unauthenticated,
        403 => GrpcStatusCode.PermissionDenied,
        404 => GrpcStatusCode.Unimplemented,
        429 or 502 or 503 or 504 => GrpcStatusCode.Unavailable,
        _ => GrpcStatusCode.Unknown,
    };

    /// <inheritdoc/>
    public override string ToString() => string.IsNullOrEmpty(Message) ? Code.ToString() : $"{Code}: {Message}";
}
