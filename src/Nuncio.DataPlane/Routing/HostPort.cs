namespace Nuncio.DataPlane.Routing;

/// <summary>Takes a host with a port apart.</summary>
public static class HostPort
{
    /// <summary>Where the colon before the port is, or -1: behind the bracket of an IPv6 address, and only where digits and nothing else follow.</summary>
    public static int PortStart(ReadOnlySpan<byte> host)
    {
        var colon = host.LastIndexOf((byte)':');
        if (colon < 0 || colon == host.Length - 1 || host[(colon + 1)..].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return -1;
        }

        var bracket = host.LastIndexOf((byte)']');
        if (bracket >= 0 ? bracket + 1 != colon : host[..colon].Contains((byte)':'))
        {
            return -1;
        }

        return colon;
    }
}
