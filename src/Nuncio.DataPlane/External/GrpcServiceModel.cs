using System.Text;

namespace Nuncio.DataPlane.External;

/// <summary>A gRPC service behind a cluster (core.v3.GrpcService with envoy_grpc).</summary>
public sealed class GrpcServiceModel
{
    /// <summary>The cluster.</summary>
    public required string Cluster { get; init; }

    /// <summary>The <c>:authority</c>: as configured, or else the cluster's name.</summary>
    public required byte[] Authority { get; init; }

    /// <summary>Of a call; zero for none.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>The largest message that is received, in bytes; 4 MiB.</summary>
    public int MaxReceiveMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Headers of each call, lower-case.</summary>
    public IReadOnlyList<(byte[] Name, byte[] Value)> Metadata { get; init; } = [];

    /// <summary>x-envoy-internal, x-forwarded-for and the like are left out.</summary>
    public bool SkipEnvoyHeaders { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Cluster} ({Encoding.ASCII.GetString(Authority)})";
}
