using System.Net.Sockets;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Listening;

/// <summary>Why an address cannot be listened on, and what to do about it.</summary>
internal static class BindFailure
{
    // Linux's net.ipv4.ip_unprivileged_port_start unless it was changed.
    private const int FirstUnprivilegedPort = 1024;

    /// <summary>The system's words, which are those of Envoy too, with what they mean here.</summary>
    public static string Describe(ListenAddress address, Exception e) =>
        $"cannot bind '{address.EndPoint}{(address.IsUdp ? "/udp" : "")}': {e.Message}" + ((e as SocketException)?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => ". Something else listens there; this listener opens once that has ended",
            SocketError.AddressNotAvailable => ". It is no address of this machine",

            // QUIC's library has no name for it.
            SocketError.AccessDenied or null when address.EndPoint.Port < FirstUnprivilegedPort =>
                ". A port below 1024 needs root, the capability CAP_NET_BIND_SERVICE or a lower net.ipv4.ip_unprivileged_port_start",
            _ => "",
        });
}
