using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>The address by which this machine names itself where a client on loopback would tell nobody anything (Envoy's node address).</summary>
public static class LocalAddress
{
    /// <summary>The first address of an interface that is up and not loopback, IPv4 first; 127.0.0.1 without one.</summary>
    public static IPAddress OfThisMachine { get; } = Find();

    private static IPAddress Find()
    {
        try
        {
            IPAddress? v6 = null;
            foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (network.OperationalStatus == OperationalStatus.Down || network.NetworkInterfaceType == NetworkInterfaceType.Loopback)
                {
                    continue;
                }

                foreach (var address in network.GetIPProperties().UnicastAddresses)
                {
                    if (address.Address.AddressFamily == AddressFamily.InterNetwork)
                    {
                        return address.Address;
                    }

                    v6 ??= address.Address.IsIPv6LinkLocal ? null : address.Address;
                }
            }

            return v6 ?? IPAddress.Loopback;
        }
        catch (NetworkInformationException)
        {
            return IPAddress.Loopback;
        }
    }
}
