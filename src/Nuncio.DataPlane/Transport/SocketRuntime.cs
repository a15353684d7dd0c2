using System.Globalization;

namespace Nuncio.DataPlane.Transport;

/// <summary>Settings of the platform's socket engine, which reads them once: to be made before the first socket of the process.</summary>
public static class SocketRuntime
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
    private const string Engine = "NUNCIO_SOCKET_ENGINE";
    private const string ThreadCount = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";

    /// <summary>Threads that serve sockets; one per processor unless <see cref="Prepare"/> was told otherwise.</summary>
    public static int Workers { get; private set; } = Environment.ProcessorCount;

    /// <summary>
    /// Connections are waited for by the platform's socket engine instead of loops of our own, as everywhere but on Linux:
    /// <c>NUNCIO_SOCKET_ENGINE=platform</c>.
    /// </summary>
    public static bool UsesPlatformEngine { get; } = Environment.GetEnvironmentVariable(Engine) == "platform";

    /// <summary>Work goes on inline on the thread that the socket woke, without a hop through the thread pool.</summary>
    /// <param name="workers">Threads that serve sockets, as Envoy's <c>--concurrency</c>; anything but a number above 0 leaves one per processor.</param>
    public static void Prepare(string? workers)
    {
        Environment.SetEnvironmentVariable(InlineCompletions, "1");
        if (int.TryParse(workers, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0)
        {
            Workers = count;
            Environment.SetEnvironmentVariable(ThreadCount, count.ToString(CultureInfo.InvariantCulture));
        }
    }
}
