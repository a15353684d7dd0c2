using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Routing;

/// <summary>What counts as gRPC.</summary>
public static class GrpcRequests
{
    /// <summary>The content-type is application/grpc, maybe with a suffix such as <c>+proto</c>; application/grpc-web is not.</summary>
    public static bool IsGrpc(HeaderMap headers)
    {
        var type = headers.Get(KnownHeader.ContentType);
        var grpc = "application/grpc"u8;
        return type.StartsWith(grpc) && (type.Length == grpc.Length || type[grpc.Length] is (byte)'+' or (byte)';');
    }
}
