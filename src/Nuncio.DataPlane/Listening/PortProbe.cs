using System.Net;
using System.Net.Sockets;

namespace Nuncio.DataPlane.Listening;

/// <summary>A connection to a port of our own, to see which of its listeners the kernel gives connections to.</summary>
internal sealed class PortProbe(IPEndPoint address, TimeProvider time)
{
    // The kernel puts a connection of this machine into a queue before its client hears that it is open; others may be before it there.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IPEndPoint? _from;

    /// <summary>Connects, and closes again. True when this process got the connection, or when nobody can tell.</summary>
    public async Task<bool> ReachesUsAsync()
    {
        var target = address.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address.Address;
        using var client = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            client.Bind(new IPEndPoint(target, 0));
            Volatile.Write(ref _from, (IPEndPoint)client.LocalEndPoint!);
            using var limit = new CancellationTokenSource(Patience, time);
            await client.ConnectAsync(new IPEndPoint(target, address.Port), limit.Token);
            await Task.WhenAny(_accepted.Task, Task.Delay(Patience, time, CancellationToken.None));
            return _accepted.Task.IsCompleted;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return true;
        }
    }

    /// <summary>Whether an accepted connection, by its peer, is this one.</summary>
    public bool IsIt(IPEndPoint remote)
    {
        if (Volatile.Read(ref _from) is not { } from || remote.Port != from.Port
            || !(remote.Address.IsIPv4MappedToIPv6 ? remote.Address.MapToIPv4() : remote.Address).Equals(from.Address))
        {
            return false;
        }

        _accepted.TrySetResult();
        return true;
    }
}
