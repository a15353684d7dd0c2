using Microsoft.Extensions.Logging;

namespace Nuncio.Cli;

/// <summary>The names of log levels on the command line and in <c>AES_LOG_LEVEL</c>.</summary>
internal static class LogLevels
{
    public const string Names = "error, warn, info, debug, trace";

    public static LogLevel? Parse(string text) => text.ToLowerInvariant() switch
    {
        "error" => LogLevel.Error,
        "warn" or "warning" => LogLevel.Warning,
        "info" => LogLevel.Information,
        "debug" => LogLevel.Debug,
        "trace" => LogLevel.Trace,
        _ => null,
    };
}
