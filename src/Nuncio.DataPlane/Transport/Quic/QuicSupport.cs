using System.Net.Quic;
using System.Runtime.Versioning;

namespace Nuncio.DataPlane.Transport.Quic;

/// <summary>Whether this machine has QUIC, which HTTP/3 is spoken over.</summary>
public static class QuicSupport
{
    /// <summary>What is said where it does not.</summary>
    internal const string Missing =
        "HTTP/3 needs QUIC, which this machine does not have: install libmsquic 2, or let Envoy serve it (--data-plane envoy). Other listeners are not concerned.";

    /// <summary>
    /// True where .NET finds MsQuic 2 (on Linux <c>libmsquic.so.2</c>) and a TLS library that it can use; the same for all the life of the process
    /// (<see href="https://learn.microsoft.com/dotnet/fundamentals/networking/quic/quic-overview#platform-dependencies">.NET's documentation</see>).
    /// </summary>
    [SupportedOSPlatformGuard("linux")]
    [SupportedOSPlatformGuard("macos")]
    [SupportedOSPlatformGuard("windows")]
    public static bool IsAvailable => (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows()) && QuicListener.IsSupported;
}
