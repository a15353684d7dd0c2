using System.Net.Sockets;
using Nuncio.Testing.Backends;

namespace Nuncio.ParityTests;

/// <summary>What the suite asks of a connection besides.</summary>
internal static class WireClientExtensions
{
    /// <summary>A further request is answered.</summary>
    public static async Task<bool> LivesAsync(this WireClient client, CancellationToken cancellation)
    {
        try
        {
            await client.Wire.WriteAsync("GET /plain/further HTTP/1.1\r\nhost: example.com\r\n\r\n", cancellation);
            await client.Wire.ReadResponseAsync("GET", cancellation);
            return true;
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException or EndOfStreamException)
        {
            return false;
        }
    }
}
