using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>The version of an Envoy program, as it says itself.</summary>
internal static partial class EnvoyVersion
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Asks the program; null and a reason when it cannot be run, or does not answer within 30 seconds.</summary>
    public static async Task<(Version? Version, string? Problem)> AskAsync(string program, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            using var ending = limit.Token.Register(process.Kill);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var text = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            var match = Pattern().Match(text);
            if (match.Success && Version.TryParse(match.Groups[1].Value, out var version)) return (version, null);
            var said = (text + await errors).Trim();
            return (null, $"{program} does not say which Envoy it is: it ends with {process.ExitCode}, {(said.Length > 0 ? said : "without a word")}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"{program} does not say which Envoy it is: no answer within {Patience.TotalSeconds} s");
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            return (null, $"Envoy cannot be started: {e.Message}. Give its path with --envoy, or put it on PATH");
        }
    }

    // envoy  version: dc54e9d/1.40.0/Clean/RELEASE/BoringSSL
    [GeneratedRegex(@"version:\s*[0-9a-f]+/(\d+\.\d+\.\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
