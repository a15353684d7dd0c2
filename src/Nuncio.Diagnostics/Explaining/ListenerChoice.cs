using System.Net;
using Nuncio.DataPlane.Listening;
using Nuncio.Xds;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>The listener and the filter chain that a request meets.</summary>
internal sealed record ListenerChoice(ListenerV3.Listener Listener, ListenerV3.FilterChain? Chain, string Address, int Port, string Reason)
{
    // What the Services in front of a gateway usually map 80 and 443 to.
    private const int UsualHttpPort = 8080;
    private const int UsualHttpsPort = 8443;

    /// <summary>
    /// The listener on the URL's port. Where nothing listens on 80 or 443, the one on 8080 or 8443, else the first that takes such a connection: in a cluster
    /// the ports that clients see are those of a Service.
    /// </summary>
    public static ListenerChoice? For(ExplainRequest request, XdsSnapshot snapshot)
    {
        var listeners = snapshot.Listeners.Values.Select(resource => resource.Message)
            .Where(listener => listener.Address?.SocketAddress is { Protocol: CoreV3.SocketAddress.Types.Protocol.Tcp })
            .OrderBy(listener => listener.Address.SocketAddress.PortValue).ThenBy(listener => listener.Name, StringComparer.Ordinal)
            .ToArray();
        if (Array.Find(listeners, listener => PortOf(listener) == request.Url.Port) is { } same)
            return Choose(same, request, "it listens on the port of the URL");
        if (!request.Url.IsDefaultPort)
            return null;
        var usual = request.IsTls ? UsualHttpsPort : UsualHttpPort;
        if (Array.Find(listeners, listener => PortOf(listener) == usual) is { } byConvention)
            return Choose(byConvention, request, $"nothing listens on {request.Url.Port}, which a Service usually maps to {usual}");
        return listeners.Select(
            listener => Choose(listener, request, $"nothing listens on {request.Url.Port}; it is the first that takes {request.Url.Scheme}"))
            .FirstOrDefault(choice => choice.Chain is not null);
    }

    private static int PortOf(ListenerV3.Listener listener) => (int)listener.Address.SocketAddress.PortValue;

    private static ListenerChoice Choose(ListenerV3.Listener listener, ExplainRequest request, string reason)
    {
        var port = PortOf(listener);
        return new ListenerChoice(listener, FilterChains.Find(listener, request, port), $"{listener.Address.SocketAddress.Address}:{port}", port, reason);
    }
}
