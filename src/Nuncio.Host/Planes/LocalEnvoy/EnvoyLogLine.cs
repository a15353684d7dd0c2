using Microsoft.Extensions.Logging;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>A line of Envoy's log in the form that <see cref="Format"/> asks for.</summary>
/// <param name="Level">As ours.</param>
/// <param name="Text">The component and what it says.</param>
internal readonly record struct EnvoyLogLine(LogLevel Level, string Text)
{
    /// <summary>For <c>--log-format</c>: level, component, text.</summary>
    public const string Format = "%l %n %v";

    /// <summary>Envoy's level for one of ours: its information is about itself, which is detail to us.</summary>
    public static string LevelOf(ILogger logger) =>
        logger.IsEnabled(LogLevel.Trace) ? "debug" : logger.IsEnabled(LogLevel.Debug) ? "info" : logger.IsEnabled(LogLevel.Warning) ? "warning" : "error";

    /// <summary>Takes a line apart; one in another form goes on what the line before said.</summary>
    public static EnvoyLogLine Parse(string line, LogLevel before)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        LogLevel? level = space < 0 ? null : line[..space] switch
        {
            "trace" => LogLevel.Trace,
            "debug" => LogLevel.Debug,
            "info" => LogLevel.Information,
            "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            "critical" => LogLevel.Critical,
            _ => null,
        };
        return level is { } known ? new EnvoyLogLine(known, line[(space + 1)..]) : new EnvoyLogLine(before, line);
    }
}
