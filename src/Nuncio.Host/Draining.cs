using Microsoft.Extensions.Logging;
using Nuncio.Host.Admin;
using Nuncio.Host.Planes;

namespace Nuncio.Host;

/// <summary>
/// The end of everything that serves: readiness first, so that nobody sends more, then the admin server where another has its place, then the data plane.
/// </summary>
internal static partial class Draining
{
    /// <summary>Returns when open work has ended, or its time has.</summary>
    public static async Task DrainAsync(this IGatewayPlane plane, GatewayState state, LocalHttpServer admin, TimeSpan time, ILogger log)
    {
        state.Drain();
        if (plane.IsReplaced) admin.Leave();
        LogDraining(log, time.TotalSeconds);
        await plane.DrainAsync(time, CancellationToken.None);
    }

    [LoggerMessage(1, LogLevel.Information, "Stopping: open requests have {Seconds} s to end")]
    private static partial void LogDraining(ILogger log, double seconds);
}
