using System.Collections.Frozen;

namespace Nuncio.DataPlane.Matching;

/// <summary>
/// The headers that Envoy's header map holds once at most: one that comes again is joined to the first with a comma when it is read, so that no condition
/// ever sees its values apart.
/// </summary>
internal static class JoinedHeaders
{
    private static readonly FrozenSet<string> Names = FrozenSet.ToFrozenSet(
    [
        "accept", "accept-encoding", "access-control-request-headers", "access-control-request-method", "authorization", "cache-control", "connection",
        "content-type", "expect", "grpc-timeout", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive", "origin",
        "pragma", "proxy-connection", "referer", "te", "upgrade", "user-agent", "via", "x-client-trace-id", "x-envoy-downstream-service-cluster",
        "x-forwarded-client-cert", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-request-id",
    ],
    StringComparer.Ordinal);

    /// <summary>Whether it is one of them.</summary>
    /// <param name="name">In lower case.</param>
    public static bool Contains(string name) => Names.Contains(name);
}
