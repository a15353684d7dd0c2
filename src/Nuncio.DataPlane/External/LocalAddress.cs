using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Nuncio.DataPlane.External;

/// <summary>The proxy's own address (Envoy's local info): the first IPv4 address that is not a loopback one; loopback where there is no other.</summary>
internal static class LocalAddress
{
    private static readonly Lazy<IPAddress> Found = new(Find);
    private static readonly Lazy<byte[]> FoundText = new(static () => Encoding.ASCII.GetBytes(Found.Value.ToString()));

    /// <summary>The address.</summary>
    public static IPAddress Value => Found.Value;

    /// <summary>As text.</summary>
    public static ReadOnlySpan<byte> Text => FoundText.Value;

    private static IPAddress Find()
    {
        try
        {
            foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (network.OperationalStatus != OperationalStatus.Up || network.NetworkInterfaceType == NetworkInterfaceType.Loopback)
                {
                    continue;
                }

                foreach (var unicast in network.GetIPProperties().UnicastAddresses)
                {
                    if (unicast.Address.AddressFamily == AddressFamily.InterNetwork)
                    {
                        return unicast.Address;
                    }
                }
            }
        }
        catch (NetworkInformationException)
        {
            // Where interfaces cannot be listed, loopback is as good as any.
        }

        return IPAddress.Loopback;
    }
}
