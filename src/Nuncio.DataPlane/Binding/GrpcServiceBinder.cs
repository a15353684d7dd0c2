using System.Text;
using Nuncio.DataPlane.External;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds gRPC services that are reached through the proxy's clusters.</summary>
internal static class GrpcServiceBinder
{
    /// <summary>The model; null with errors.</summary>
    public static GrpcServiceModel? Bind(CoreV3.GrpcService? message, string path, BindErrors errors)
    {
        if (message?.EnvoyGrpc is not { ClusterName.Length: > 0 } target)
        {
            errors.Add(path, "A gRPC service needs envoy_grpc with a cluster.");
            return null;
        }

        SupportedFields.Check(message, path, errors, "envoy_grpc", "timeout", "initial_metadata");
        var targetPath = BindErrors.Path(path, "envoy_grpc");
        SupportedFields.Check(target, targetPath, errors, "cluster_name", "authority", "max_receive_message_length", "skip_envoy_headers");
        var metadata = new List<(byte[] Name, byte[] Value)>();
        for (var i = 0; i < message.InitialMetadata.Count; i++)
        {
            var entry = message.InitialMetadata[i];
            var entryPath = BindErrors.Path(path, "initial_metadata", i);
            if (HeaderValues.IsName(Encoding.ASCII.GetBytes(entry.Key.ToLowerInvariant())) && HeaderValues.IsValue(Encoding.UTF8.GetBytes(entry.Value))
                && !entry.Value.Contains('%', StringComparison.Ordinal))
            {
                metadata.Add((Encoding.ASCII.GetBytes(entry.Key.ToLowerInvariant()), Encoding.UTF8.GetBytes(entry.Value)));
            }
            else
            {
                errors.Add(entryPath, "This cannot be sent as a header, or has format operators, which are not supported here.");
            }
        }

        return new GrpcServiceModel
        {
            Cluster = target.ClusterName,
            Authority = Encoding.ASCII.GetBytes(target.Authority.Length > 0 ? target.Authority : target.ClusterName),
            Timeout = ValueBinder.Duration(message.Timeout, BindErrors.Path(path, "timeout"), errors) ?? TimeSpan.Zero,
            MaxReceiveMessageBytes = (int)Math.Min(target.MaxReceiveMessageLength ?? 4 * 1024 * 1024, 64 * 1024 * 1024),
            Metadata = metadata,
            SkipEnvoyHeaders = target.SkipEnvoyHeaders,
        };
    }
}
