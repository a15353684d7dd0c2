using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Nuncio.DataPlane.External;

/// <summary>The proxy's own address as it tells services that it asks (Envoy's local info): the first IPv4 address that is not a loopback one.</summary>
internal static class LocalAddress
{
    private static readonly Lazy<byte[]> Found = new(static () => Encoding.ASCII.GetBytes(Find()));

    /// <summary>As text.</summary>
    public static ReadOnlySpan<byte> Text => Found.Value;

    private static string Find()
    {
        try
        {
            foreach (var card in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (card.OperationalStatus != OperationalStatus.Up || card.NetworkInterfaceType == NetworkInterfaceType.Loopback)
                {
                    continue;
                }

                foreach (var address in card.GetIPProperties().UnicastAddresses)
                {
                    if (address.Address.AddressFamily == AddressFamily.InterNetwork)
                    {
                        return address.Address.ToString();
                    }
                }
            }
        }
        catch (NetworkInformationException)
        {
            // Then nobody can say; Envoy falls back to the same.
        }

        return "127.0.0.1";
    }
}
