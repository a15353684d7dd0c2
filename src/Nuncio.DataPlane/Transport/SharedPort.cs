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
    private const int SoAttachFilter = 26;
    private const int SoDetachFilter = 27;
    private const int SoAttachReusePortFilter = 51;
    private const int SoDetachReusePortFilter = 68;

    // <linux/bpf_common.h>: BPF_RET | BPF_K, BPF_RET | BPF_A, BPF_LD | BPF_W | BPF_ABS, BPF_ALU | BPF_MOD | BPF_K, BPF_ALU | BPF_ADD | BPF_K.
    private const ushort ReturnConstant = 0x06;
    private const ushort ReturnResult = 0x16;
    private const ushort Load = 0x20;
    private const ushort Modulo = 0x94;
    private const ushort Add = 0x04;

    // <linux/filter.h>: SKF_AD_OFF + SKF_AD_RANDOM.
    private const uint RandomNumber = 0xfffff000 + 56;

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
    public static bool TryChoose(Socket socket, int listener) => TryAttach(socket, SoAttachReusePortFilter, [(ReturnConstant, (uint)listener)]);

    /// <summary>
    /// Has the kernel give every new connection of the port to one of some of its listeners, at random: to those that it numbers from
    /// <paramref name="first"/> on. A number that there is none for leaves the choice among all to the kernel. False when the kernel does not take it.
    /// </summary>
    public static bool TryChooseAmong(Socket socket, int first, int count) =>
        TryAttach(socket, SoAttachReusePortFilter, [(Load, RandomNumber), (Modulo, (uint)count), (Add, (uint)first), (ReturnResult, 0)]);

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

            // The kernel lists all that listen before all connections, which may be many (Documentation/networking/proc_net_tcp.rst).
            return File.ReadLines(address.AddressFamily == AddressFamily.InterNetworkV6 ? "/proc/net/tcp6" : "/proc/net/tcp")
                .Skip(1)
                .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .TakeWhile(static fields => fields.Length > 3 && fields[3] == Listening)
                .Count(fields => fields[1] == wanted);
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

    /// <summary>
    /// Has the kernel drop whatever arrives at this socket, until <see cref="EndSilence"/>: who tries to connect tries again a second later, maybe at another
    /// listener. False when the kernel does not take it.
    /// </summary>
    public static bool TrySilence(Socket socket) => TryAttach(socket, SoAttachFilter, [(ReturnConstant, 0)]);

    /// <summary>Ends <see cref="TrySilence"/>.</summary>
    public static void EndSilence(Socket socket)
    {
        if (OperatingSystem.IsLinux())
        {
            TrySet(socket, SoDetachFilter, BitConverter.GetBytes(0));
        }
    }

    private static bool TryAttach(Socket socket, int option, ReadOnlySpan<(ushort Code, uint Constant)> instructions)
    {
        // struct sock_filter: code, two jumps, a constant; struct sock_fprog: how many, and where.
        var filter = stackalloc byte[instructions.Length * 8];
        for (var i = 0; i < instructions.Length; i++)
        {
            *(ulong*)(filter + (i * 8)) = 0;
            *(ushort*)(filter + (i * 8)) = instructions[i].Code;
            *(uint*)(filter + (i * 8) + 4) = instructions[i].Constant;
        }

        Span<byte> program = stackalloc byte[2 * sizeof(nint)];
        program.Clear();
        MemoryMarshal.Write(program, (ushort)instructions.Length);
        MemoryMarshal.Write(program[sizeof(nint)..], (nint)filter);
        return OperatingSystem.IsLinux() && TrySet(socket, option, program);
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
