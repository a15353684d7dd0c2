using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Upstream.Dns;

namespace Nuncio.DataPlane.Upstream;

/// <summary>Looks up addresses of a name. The seam to the operating system.</summary>
public abstract class NameResolver
{
    /// <summary>All addresses; an empty array when there are none (the name exists or not); null when the question could not be answered.</summary>
    public abstract ValueTask<IPAddress[]?> ResolveAsync(string name, AddressFamily family, CancellationToken cancellationToken);

    /// <summary>The same with how long the answer holds, where that can be known.</summary>
    public virtual async ValueTask<ResolvedName> ResolveWithTimeToLiveAsync(string name, AddressFamily family, CancellationToken cancellationToken) =>
        new(await ResolveAsync(name, family, cancellationToken), null);
}

/// <summary>Addresses of a name.</summary>
/// <param name="Addresses">Empty for none; null when the question could not be answered.</param>
/// <param name="TimeToLive">How long they hold; null where nobody says so.</param>
public readonly record struct ResolvedName(IPAddress[]? Addresses, TimeSpan? TimeToLive);

/// <summary>The system's resolver, with /etc/hosts and search domains as other programs see them.</summary>
public sealed class SystemNameResolver(TimeProvider time) : NameResolver
{
    private readonly DnsClient _servers = DnsClient.OfSystem(time);

    /// <summary>
    /// As the name servers say: the system's resolver does not tell how long an answer holds. Where there are none to ask, it answers all the same.
    /// </summary>
    public override async ValueTask<ResolvedName> ResolveWithTimeToLiveAsync(string name, AddressFamily family, CancellationToken cancellationToken) =>
        await _servers.ResolveAsync(name, family, cancellationToken) ?? await base.ResolveWithTimeToLiveAsync(name, family, cancellationToken);

    /// <inheritdoc/>
    public override async ValueTask<IPAddress[]?> ResolveAsync(string name, AddressFamily family, CancellationToken cancellationToken)
    {
        try
        {
            return await System.Net.Dns.GetHostAddressesAsync(name, family, cancellationToken);
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
