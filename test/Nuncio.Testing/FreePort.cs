using System.Net;
using System.Net.Sockets;

namespace Nuncio.Testing;

/// <summary>Ports that nothing listens on, for servers which cannot be told to choose one themselves.</summary>
public static class FreePort
{
    // Below the range from which Linux gives ports to connections and to listeners of port 0 (32768 to 60999): such a port could be taken between
    // being found free here and being bound by the program that it is for.
    private const int First = 15000;
    private const int Last = 32767;

    private static readonly Lock Sync = new();
    private static readonly List<FileStream> Claims = [];
    private static readonly string Folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "nuncio-test-ports")).FullName;
    private static int _last = Random.Shared.Next(First, Last + 1);

    /// <summary>
    /// A TCP port that is free on every address. It stays this process's until its end: no second call and no other test process gets it, since two
    /// gateways that listened on it with SO_REUSEPORT would share its connections.
    /// </summary>
    public static int Next()
    {
        lock (Sync)
        {
            for (var tries = First; tries <= Last; tries++)
            {
                _last = _last == Last ? First : _last + 1;
                if (Claim(_last) is not { } claim) continue;
                if (IsFree(_last))
                {
                    Claims.Add(claim);
                    return _last;
                }

                claim.Dispose();
            }
        }

        throw new InvalidOperationException($"no port from {First} to {Last} is free");
    }

    // The lock of an open file ends with its process, however that ends.
    private static FileStream? Claim(int port)
    {
        try
        {
            return new FileStream(Path.Combine(Folder, $"{port}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
