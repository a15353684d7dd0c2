using System.Net;

namespace Nuncio.DataPlane.Binding;

/// <summary>Ranges of addresses.</summary>
internal static class CidrBinder
{
    /// <summary>The range of an address with so many leading bits (all where unset); bits behind them are cleared, as Envoy does.</summary>
    public static IPNetwork Network(IPAddress address, uint? prefixLength)
    {
        var bytes = address.GetAddressBytes();
        var bits = (int)Math.Min(prefixLength ?? 0, (uint)bytes.Length * 8);
        for (var i = 0; i < bytes.Length; i++)
        {
            var keep = Math.Clamp(bits - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF00 >> keep);
        }

        return new IPNetwork(new IPAddress(bytes), bits);
    }
}
