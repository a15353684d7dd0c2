using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;

namespace Nuncio.Host;

/// <summary>A listener as a person names it.</summary>
internal static class ListenerText
{
    /// <summary>For instance <c>0.0.0.0:8443</c>, with <c>/udp</c> where it is.</summary>
    public static string Of(Listener listener)
    {
        var address = listener.Address?.SocketAddress;
        if (address is null)
            return listener.Name;
        var text = address.Address.Contains(':', StringComparison.Ordinal)
            ? $"[{address.Address}]:{address.PortValue}" : $"{address.Address}:{address.PortValue}";
        return address.Protocol == SocketAddress.Types.Protocol.Udp ? text + "/udp" : text;
    }
}
