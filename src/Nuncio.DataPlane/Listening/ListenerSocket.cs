using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Listening;

/// <summary>
/// A bound address. It outlives the listener that it was opened for when the next configuration has one at the same address, so no connection
/// attempt is lost in between.
/// </summary>
internal abstract class ListenerSocket
{
    private ListenerState? _owner;

    protected ListenerSocket(ListenAddress address) => Address = address;

    /// <summary>Where it listens.</summary>
    public ListenAddress Address { get; }

    /// <summary>Whom connections go to; null closes them.</summary>
    public ListenerState? Owner
    {
        get => Volatile.Read(ref _owner);
        set => Volatile.Write(ref _owner, value);
    }

    /// <summary>Binds and listens; null with the reason when that fails.</summary>
    public static ListenerSocket? Open(ListenAddress address, int backlog, ListenerEnvironment environment, out string error)
    {
        if (!address.IsUdp)
        {
            return TcpListenerSocket.Open(address, backlog, environment, out error);
        }

        if (QuicSupport.IsAvailable && environment.Standby is null)
        {
            return QuicListenerSocket.Open(address, environment, out error);
        }

        error = environment.Standby is null ? QuicSupport.Missing : $"there is no standby at '{address.EndPoint}'";
        return null;
    }

    /// <summary>Begins to accept, until closed.</summary>
    public abstract void Start();

    /// <summary>
    /// Has the kernel give new connections to another process that listens here too. False when there is none, or none that the kernel can be told of: it goes
    /// on choosing by itself then.
    /// </summary>
    public abstract Task<bool> StandAsideAsync();

    /// <summary>Stops accepting.</summary>
    public abstract void Close();
}
