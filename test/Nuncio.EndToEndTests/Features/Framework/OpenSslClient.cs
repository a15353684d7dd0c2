using System.Diagnostics;
using System.Globalization;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features;

/// <summary><c>openssl s_client</c>, for what .NET's TLS cannot be told.</summary>
internal static class OpenSslClient
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    /// <summary>The program; null where it is not installed.</summary>
    public static string? Program { get; } = TestPaths.FindProgram("openssl");

    /// <summary>Whether a handshake succeeds.</summary>
    public static async Task<bool> ShakesHandsAsync(int port, string serverName, params string[] options)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        using var process = Process.Start(new ProcessStartInfo(Program!, ["s_client", "-brief", "-connect", address, "-servername", serverName, .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var text = await process.StandardError.ReadToEndAsync().WaitAsync(Long) + await output.WaitAsync(Long);
            return text.Contains("CONNECTION ESTABLISHED", StringComparison.Ordinal);
        }
        finally
        {
            process.Kill();
        }
    }
}
