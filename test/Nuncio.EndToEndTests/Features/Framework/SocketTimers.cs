using System.Globalization;

namespace Nuncio.EndToEndTests.Features;

/// <summary>What Linux says of the timers of sockets (/proc/net/tcp).</summary>
internal static class SocketTimers
{
    private const string Established = "01";
    private const string KeepaliveTimer = "02";

    /// <summary>The seconds until the next keep-alive probe of each open connection to a port, where one is going to be sent.</summary>
    public static IReadOnlyList<double> KeepaliveSeconds(int port)
    {
        var peer = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        var seconds = new List<double>();
        foreach (var line in File.ReadLines("/proc/net/tcp").Skip(1))
        {
            var cells = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (cells[2].EndsWith(peer, StringComparison.Ordinal) && cells[3] == Established && cells[5].Split(':') is [KeepaliveTimer, var ticks])
                seconds.Add(long.Parse(ticks, NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 100.0);
        }

        return seconds;
    }
}
