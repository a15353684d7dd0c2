using System.Net;
using System.Net.Sockets;

namespace Nuncio.DataPlane.Upstream;

/// <summary>Looks up addresses of a name. The seam to the operating system.</summary>
public abstract class NameResolver
{
    /// <summary>All addresses; an empty array when there are none (the name exists or not); null when the question could not be answered.</summary>
    public abstract ValueTask<IPAddress[]?> ResolveAsync(string name, AddressFamily family, CancellationToken cancellationToken);
}

/// <summary>The system's resolver, with /etc/hosts and search domains as other programs see them.</summary>
public sealed class SystemNameResolver : NameResolver
{
    /// <inheritdoc/>
    public override async ValueTask<IPAddress[]?> ResolveAsync(string name, AddressFamily family, CancellationToken cancellationToken)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(name, family, cancellationToken);
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData ? [] : null;
        }
        catch (Exception e) when (e is OperationCanceledException or ArgumentException)
        {
            return null;
        }
    }
}
