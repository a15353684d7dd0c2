using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.Grpc.Server;

/// <summary>What a handler knows of its call.</summary>
public sealed class GrpcServerContext
{
    internal GrpcServerContext(
        string path, GrpcMetadata headers, EndPoint? peer, X509Certificate2? certificate, CancellationToken cancellation, CancellationToken stopping)
    {
        Path = path;
        Headers = headers;
        Peer = peer;
        ClientCertificate = certificate;
        Cancellation = cancellation;
        Stopping = stopping;
    }

    /// <summary>The <c>:path</c>.</summary>
    public string Path { get; }

    /// <summary>The call's headers.</summary>
    public GrpcMetadata Headers { get; }

    /// <summary>Who calls; null for a Unix socket.</summary>
    public EndPoint? Peer { get; }

    /// <summary>The caller's certificate; null where it has none.</summary>
    public X509Certificate2? ClientCertificate { get; }

    /// <summary>Ends when the caller gave the call up or is gone, the deadline passed, or the server ends hard.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Ends when the server is about to stop: a handler that would go on for ever should end its call, best with Unavailable.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Headers of the answer; must be added before the first message is written.</summary>
    public GrpcMetadata ResponseHeaders { get; } = new();

    /// <summary>Trailers of the answer, beside the status.</summary>
    public GrpcMetadata ResponseTrailers { get; } = new();
}
