using Envoy.Config.Core.V3;

namespace Nuncio.XdsServer.Clients;

/// <summary>One client on one stream, as it is known now.</summary>
/// <param name="Stream">The stream's number, unique in the process.</param>
/// <param name="Node">The node's id; empty before the first request.</param>
/// <param name="Version">What the client is, such as <c>envoy 1.36.0</c>; empty where it did not say.</param>
/// <param name="Revision">The revision that it has accepted, as far as it refused nothing; -1 for none yet.</param>
/// <param name="ResourcesSent">How many resources it accepted on this stream.</param>
/// <param name="BytesSent">How many bytes of messages were sent to it.</param>
/// <param name="Rejections">What it refuses now.</param>
public sealed record XdsClientState(
    long Stream, string Node, string Version, long Revision, long ResourcesSent, long BytesSent, ImmutableArray<XdsRejection> Rejections)
{
    /// <summary>What a node says of itself.</summary>
    internal static string VersionOf(Node node) => node.UserAgentBuildVersion?.Version is { } version
        ? FormattableString.Invariant($"{node.UserAgentName} {version.MajorNumber}.{version.MinorNumber}.{version.Patch}")
        : node.UserAgentVersion is { Length: > 0 } text ? $"{node.UserAgentName} {text}" : node.UserAgentName;
}
