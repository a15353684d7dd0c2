using System.Globalization;

namespace Nuncio.DataPlane.Transport;

/// <summary>Settings of the platform's socket engine, which reads them once: to be made before the first socket of the process.</summary>
public static class SocketRuntime
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
    private const string ThreadCount = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";

    /// <summary>Work goes on inline on the thread that the socket woke, without a hop through the thread pool.</summary>
    /// <param name="workers">Threads that serve sockets, as Envoy's <c>--concurrency</c>; anything but a number above 0 leaves one per processor.</param>
    public static void Prepare(string? workers)
    {
        Environment.SetEnvironmentVariable(InlineCompletions, "1");
        if (int.TryParse(workers, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0)
        {
            Environment.SetEnvironmentVariable(ThreadCount, count.ToString(CultureInfo.InvariantCulture));
        }
    }
}
