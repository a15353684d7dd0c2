namespace Nuncio.DataPlane.Errors;

/// <summary>From HTTP to gRPC (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).</summary>
public static class GrpcStatusMapping
{
    /// <summary>The gRPC status that stands for an HTTP status.</summary>
    public static int FromHttp(int status) => status switch
    {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 or 502 or 503 or 504 => 14,
        _ => 2,
    };
}
