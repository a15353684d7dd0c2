using System.Runtime.CompilerServices;
using Envoy.Config.Route.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.XdsServer.Resources;

/// <summary>Virtual hosts as VHDS carries them. Their versions are kept as long as they live; their bytes as long as somebody is being sent them.</summary>
internal static class EncodedVirtualHosts
{
    private static readonly ConditionalWeakTable<VirtualHost, Entry> Known = [];

    /// <summary>The version of a virtual host, from its content.</summary>
    public static XdsVersion VersionOf(VirtualHost host) => Known.GetValue(host, static host =>
    {
        var bytes = XdsBytes.Serialize(host);
        return new Entry(XdsVersion.Of(bytes)) { Bytes = new WeakReference<byte[]>(bytes) };
    }).Version;

    /// <summary>The virtual host as responses carry it: Envoy finds it again by its name alone, so the name in it is that of the resource.</summary>
    public static Any Encode(string name, VirtualHost host)
    {
        var bytes = BytesOf(host);

        // Of a field that comes twice the last counts (Protocol Buffers, "Last One Wins"), so that no virtual host has to be copied for its name.
        var output = new byte[bytes.Length + CodedOutputStream.ComputeTagSize(VirtualHost.NameFieldNumber) + CodedOutputStream.ComputeStringSize(name)];
        bytes.CopyTo(output, 0);
        using (var rest = new CodedOutputStream(new MemoryStream(output, bytes.Length, output.Length - bytes.Length), name.Length + 16))
        {
            rest.WriteTag(VirtualHost.NameFieldNumber, WireFormat.WireType.LengthDelimited);
            rest.WriteString(name);
        }

        return new Any { TypeUrl = XdsResourceType.VirtualHosts.TypeUrl, Value = UnsafeByteOperations.UnsafeWrap(output) };
    }

    private static byte[] BytesOf(VirtualHost host)
    {
        VersionOf(host);
        if (!Known.TryGetValue(host, out var entry)) return XdsBytes.Serialize(host);
        if (entry.Bytes.TryGetTarget(out var known)) return known;
        var bytes = XdsBytes.Serialize(host);
        entry.Bytes = new WeakReference<byte[]>(bytes);
        return bytes;
    }

    private sealed class Entry(XdsVersion version)
    {
        public XdsVersion Version => version;

        public required WeakReference<byte[]> Bytes { get; set; }
    }
}
