using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Nuncio.DataPlane.Transport;

/// <summary>
/// A port that an older and a newer process listen on for a while, so that the newer one can take over (Linux only; elsewhere a port belongs to one).
/// </summary>
internal static unsafe class SharedPort
{
    // <asm-generic/socket.h>; .NET's ReuseAddress sets SO_REUSEADDR too, which we leave to Bind.
    private const int SolSocket = 1;
    private const int SoReusePort = 15;
    private const int SoAttachReusePortFilter = 51;
    private const int SoDetachReusePortFilter = 68;

    // <linux/bpf_common.h>: BPF_RET | BPF_K.
    private const ushort ReturnConstant = 0x06;

    private const string Listening = "0A";

    /// <summary>Lets others of the same user listen on the port as well; before it is bound.</summary>
    public static void Share(Socket socket)
    {
        if (OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption(SolSocket, SoReusePort, BitConverter.GetBytes(1));
        }
    }

    /// <summary>
    /// Has the kernel give every new connection of the port to one of its listeners, by the number that the kernel has for it. A number that there is none
    /// for leaves the choice to the kernel, as at first. False when the kernel does not take it.
    /// </summary>
    public static bool TryChoose(Socket socket, int listener)
    {
        // struct sock_filter: code, two jumps, a constant; struct sock_fprog: how many, and where.
        var filter = stackalloc byte[8];
        *(ushort*)filter = ReturnConstant;
        *(uint*)(filter + 4) = (uint)listener;
        Span<byte> program = stackalloc byte[2 * sizeof(nint)];
        program.Clear();
        MemoryMarshal.Write(program, (ushort)1);
        MemoryMarshal.Write(program[sizeof(nint)..], (nint)filter);
        return OperatingSystem.IsLinux() && TrySet(socket, SoAttachReusePortFilter, program);
    }

    /// <summary>The kernel chooses by itself again; what an older process chose for its end means nothing to the next two.</summary>
    public static void ForgetChoice(Socket socket)
    {
        if (OperatingSystem.IsLinux())
        {
            TrySet(socket, SoDetachReusePortFilter, BitConverter.GetBytes(0));
        }
    }

    /// <summary>How many sockets listen on exactly this address, of all processes; 0 where that cannot be known.</summary>
    public static int Listeners(IPEndPoint address)
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        try
        {
            var wanted = KernelText(address);
            return File.ReadLines(address.AddressFamily == AddressFamily.InterNetworkV6 ? "/proc/net/tcp6" : "/proc/net/tcp")
                .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Count(fields => fields.Length > 3 && fields[3] == Listening && fields[1] == wanted);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    // The kernel prints the address as 32-bit words in the machine's order, and the port as it is: 0100007F:1F90.
    private static string KernelText(IPEndPoint address)
    {
        var bytes = address.Address.GetAddressBytes();
        return string.Create(CultureInfo.InvariantCulture, $"{string.Concat(Enumerable.Range(0, bytes.Length / 4).Select(Word))}:{address.Port:X4}");

        string Word(int index)
        {
            var word = bytes.AsSpan(index * 4, 4);
            var value = BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(word) : BinaryPrimitives.ReadUInt32BigEndian(word);
            return value.ToString("X8", CultureInfo.InvariantCulture);
        }
    }

    private static bool TrySet(Socket socket, int option, ReadOnlySpan<byte> value)
    {
        try
        {
            socket.SetRawSocketOption(SolSocket, option, value);
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }
}
