using Envoy.Config.Core.V3;

namespace Nuncio.XdsServer.Tests;

/// <summary>What a client says of itself.</summary>
internal static class PeerNode
{
    /// <summary>An Envoy of a version; null for a program that does not say what it is.</summary>
    public static Node Of(string? version)
    {
        var node = new Node { Id = "peer" };
        if (version is null) return node;
        var parts = Version.Parse(version);
        node.UserAgentName = "envoy";
        node.UserAgentBuildVersion = new BuildVersion
        {
            Version = new Envoy.Type.V3.SemanticVersion { MajorNumber = (uint)parts.Major, MinorNumber = (uint)parts.Minor },
        };
        return node;
    }
}
