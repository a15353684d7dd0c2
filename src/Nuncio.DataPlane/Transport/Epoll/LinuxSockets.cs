using System.Net;
using System.Runtime.InteropServices;

namespace Nuncio.DataPlane.Transport.Epoll;

/// <summary>The system calls of the loop (Linux; values of &lt;sys/epoll.h&gt;, &lt;sys/socket.h&gt; and &lt;asm-generic/errno.h&gt;).</summary>
internal static unsafe partial class LinuxSockets
{
    public const uint EventIn = 0x001;
    public const uint EventOut = 0x004;
    public const uint EventError = 0x008;
    public const uint EventHangUp = 0x010;
    public const uint EventPeerClosed = 0x2000;
    public const uint EventExclusive = 1u << 28;
    public const uint EventEdge = 1u << 31;

    public const int Interrupted = 4;
    public const int Again = 11;
    public const int ConnectionAborted = 103;
    public const int InProgress = 115;

    private const int NotPermitted = 1;
    private const int NoNetwork = 64;
    private const int ProtocolError = 71;
    private const int NoProtocolOption = 92;
    private const int NetworkDown = 100;
    private const int NetworkUnreachable = 101;
    private const int HostDown = 112;
    private const int HostUnreachable = 113;

    private const int ControlAdd = 1;
    private const int ControlRemove = 2;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int FlagPeek = 0x2;
    private const int FlagDontWait = 0x40;
    private const int FlagNoSignal = 0x4000;
    private const int Ipv6 = 10;
    private const int SendingEnd = 1;
    private const int LevelSocket = 1;
    private const int OptionKeepAlive = 9;
    private const int OptionLinger = 13;
    private const int LevelTcp = 6;
    private const int OptionKeepAliveTime = 4;
    private const int OptionKeepAliveInterval = 5;
    private const int OptionKeepAliveProbes = 6;

    /// <summary>The kernel packs its struct on x86 only.</summary>
    public static readonly int EventSize = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 12 : 16;

    public static readonly int EventDataOffset = EventSize - 8;

    private static readonly IPEndPoint Nobody = new(IPAddress.Any, 0);

    public static int CreateEpoll() => epoll_create1(CloseOnExec);

    public static int CreateEvent() => eventfd(0, NonBlocking | CloseOnExec);

    /// <summary>Negative: the error.</summary>
    public static int Watch(int epoll, int descriptor, uint events, long data)
    {
        var record = stackalloc byte[16];
        *(uint*)record = events;
        *(long*)(record + EventDataOffset) = data;
        return epoll_ctl(epoll, ControlAdd, descriptor, record) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    /// <summary>Ends <see cref="Watch"/>.</summary>
    public static void Unwatch(int epoll, int descriptor)
    {
        var record = stackalloc byte[16];
        _ = epoll_ctl(epoll, ControlRemove, descriptor, record);
    }

    /// <summary>The descriptor of a connection, which does not block, with its peer; negative: the error.</summary>
    public static int Accept(int listening, out IPEndPoint remote)
    {
        remote = Nobody;
        var bytes = stackalloc byte[28];
        var length = 28u;
        var descriptor = accept4(listening, bytes, &length, NonBlocking | CloseOnExec);
        if (descriptor < 0)
        {
            return -Marshal.GetLastPInvokeError();
        }

        remote = Read(bytes);
        return descriptor;
    }

    /// <summary>
    /// Whether an error of <see cref="Accept"/> says something of the connection that was next only, so that the one behind it can be accepted: accept(2)
    /// passes on what the network has found there.
    /// </summary>
    public static bool IsOfOneConnection(int error) => error is Interrupted or ConnectionAborted or NotPermitted or NoNetwork or ProtocolError
        or NoProtocolOption or NetworkDown or NetworkUnreachable or HostDown or HostUnreachable;

    /// <summary>How many events are in <paramref name="buffer"/>; negative: the error.</summary>
    public static int Wait(int epoll, Span<byte> buffer, int milliseconds)
    {
        fixed (byte* events = buffer)
        {
            var count = epoll_wait(epoll, events, buffer.Length / EventSize, milliseconds);
            return count >= 0 ? count : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Bytes received, 0 at the peer's end; negative: the error.</summary>
    public static int Receive(int descriptor, Span<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            return WithError(recv(descriptor, bytes, buffer.Length, FlagDontWait));
        }
    }

    /// <summary>Nothing is left to receive and nothing will come: the peer has ended it, or it is broken.</summary>
    public static bool IsAtEnd(int descriptor)
    {
        byte first;
        var received = WithError(recv(descriptor, &first, 1, FlagDontWait | FlagPeek));
        return received <= 0 && received is not (-Again or -Interrupted);
    }

    /// <summary>Bytes sent; negative: the error.</summary>
    public static int Send(int descriptor, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            return WithError(send(descriptor, bytes, buffer.Length, FlagDontWait | FlagNoSignal));
        }
    }

    /// <summary>0, or negative: the error.</summary>
    public static int Connect(int descriptor, IPEndPoint remote)
    {
        var address = remote.Serialize();
        fixed (byte* bytes = address.Buffer.Span)
        {
            return connect(descriptor, bytes, (uint)address.Size) == 0 ? 0 : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Our side of a socket; null when it cannot be told.</summary>
    public static IPEndPoint? LocalEndPoint(int descriptor)
    {
        var bytes = stackalloc byte[28];
        var length = 28u;
        if (getsockname(descriptor, bytes, &length) != 0)
        {
            return null;
        }

        return Read(bytes);
    }

    /// <summary>Ends our direction.</summary>
    public static void ShutdownSending(int descriptor) => _ = shutdown(descriptor, SendingEnd);

    /// <summary>Closing is a reset from now on.</summary>
    public static void SetReset(int descriptor)
    {
        // struct linger: on, for no time.
        var linger = stackalloc int[2];
        linger[0] = 1;
        linger[1] = 0;
        _ = setsockopt(descriptor, LevelSocket, OptionLinger, linger, 2 * sizeof(int));
    }

    /// <summary>Switches keep-alive probes on. False when the system does not take a number.</summary>
    public static bool TrySetKeepAlive(int descriptor, TcpKeepAliveOptions options) =>
        TrySet(descriptor, LevelSocket, OptionKeepAlive, 1)
            && (options.Time is not { } time || TrySet(descriptor, LevelTcp, OptionKeepAliveTime, time))
            && (options.Interval is not { } interval || TrySet(descriptor, LevelTcp, OptionKeepAliveInterval, interval))
            && (options.Probes is not { } probes || TrySet(descriptor, LevelTcp, OptionKeepAliveProbes, probes));

    /// <summary>Adds one to an event descriptor's count.</summary>
    public static void Signal(int descriptor)
    {
        var one = 1L;
        _ = write(descriptor, &one, sizeof(long));
    }

    /// <summary>Takes the count of an event descriptor.</summary>
    public static void Clear(int descriptor)
    {
        long count;
        _ = read(descriptor, &count, sizeof(long));
    }

    /// <summary>Closes a descriptor; nothing for a negative one.</summary>
    public static void Close(int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = close(descriptor);
        }
    }

    private static bool TrySet(int descriptor, int level, int option, int value) => setsockopt(descriptor, level, option, &value, sizeof(int)) == 0;

    private static IPEndPoint Read(byte* address)
    {
        var port = (address[2] << 8) | address[3];
        return *(ushort*)address == Ipv6
            ? new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(address + 8, 16), *(uint*)(address + 24)), port)
            : new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(address + 4, 4)), port);
    }

    private static int WithError(nint result) => result >= 0 ? (int)result : -Marshal.GetLastPInvokeError();

#pragma warning disable IDE1006, SA1300 // the names are libc's
    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int descriptor, byte* record);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, byte* events, int count, int milliseconds);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int descriptor, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockname(int descriptor, byte* address, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(int descriptor, byte* address, uint* length, int flags);

    [LibraryImport("libc")]
    private static partial int setsockopt(int descriptor, int level, int option, void* value, uint length);

    [LibraryImport("libc")]
    private static partial int shutdown(int descriptor, int how);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc")]
    private static partial nint read(int descriptor, void* buffer, nint length);

    [LibraryImport("libc")]
    private static partial nint write(int descriptor, void* buffer, nint length);
#pragma warning restore IDE1006, SA1300
}
