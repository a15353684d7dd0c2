using System.Net;

namespace Nuncio.DataPlane.Transport.Quic;

/// <summary>Addresses as MsQuic has them.</summary>
internal static class EndPointExtensions
{
    /// <summary>The address of IPv4 that one of IPv6 stands for, as a port of both families shows it; any other as it is.</summary>
    public static IPEndPoint Unmapped(this IPEndPoint endPoint) =>
        endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
}
