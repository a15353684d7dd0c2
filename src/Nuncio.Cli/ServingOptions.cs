using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Overload;
using Nuncio.Host.Logging;

namespace Nuncio.Cli;

/// <summary>The options of the commands that serve until they are told to stop, and how these are told.</summary>
internal sealed partial class ServingOptions
{
    private readonly Option<double?> _drainTime = new("--drain-time")
    {
        Description = "Seconds that open requests have to end after SIGTERM (AMBASSADOR_DRAIN_TIME; default 30)",
    };

    private readonly Option<IPEndPoint?> _admin = new("--admin")
    {
        Description = "ADDRESS:PORT of health, metrics and dumps (AMBASSADOR_HEALTHCHECK_BIND_ADDRESS, _PORT; default 127.0.0.1:8877)",
        HelpName = "ADDRESS:PORT",
        CustomParser = result =>
        {
            if (IPEndPoint.TryParse(result.Tokens[0].Value, out var endPoint))
                return endPoint;
            result.AddError($"--admin: '{result.Tokens[0].Value}' is not ADDRESS:PORT");
            return null;
        },
    };

    private readonly Option<string?> _logLevel = new("--log-level")
    {
        Description = $"How much to log on standard error: {LogLevels.Names} (AES_LOG_LEVEL; default info)",
    };

    private readonly Option<string?> _logFormat = new("--log-format") { Description = "text or json (AMBASSADOR_JSON_LOGGING=true; default text)" };

    private readonly Option<long?> _memoryLimit = new("--memory-limit")
    {
        Description =
            "Bytes of memory, with Ki, Mi or Gi behind, near which new work is refused (NUNCIO_MEMORY_LIMIT; default that of the container or the machine)",
        HelpName = "BYTES",
        CustomParser = result =>
        {
            if (ByteCount.Parse(result.Tokens[0].Value) is { } bytes)
                return bytes;
            result.AddError($"--memory-limit: '{result.Tokens[0].Value}' is not a number of bytes");
            return null;
        },
    };

    private readonly Option<int?> _maxConnections = new("--max-connections")
    {
        Description = "Client connections at once, above which new ones are closed (NUNCIO_MAX_CONNECTIONS; default what the limit on open files allows)",
    };

    public ServingOptions()
    {
        _maxConnections.Validators.Add(result =>
        {
            if (result.GetValueIfAny(_maxConnections) is < 1)
                result.AddError("--max-connections: at least 1");
        });
        _drainTime.Validators.Add(result =>
        {
            if (result.GetValueIfAny(_drainTime) is < 0 or > 86400)
                result.AddError("--drain-time: seconds from 0 to 86400");
        });
        _logLevel.AcceptOnlyFromAmong("error", "warn", "info", "debug", "trace");
        _logFormat.AcceptOnlyFromAmong("text", "json");
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_drainTime);
        command.Options.Add(_admin);
        command.Options.Add(_logLevel);
        command.Options.Add(_logFormat);
        command.Options.Add(_memoryLimit);
        command.Options.Add(_maxConnections);
    }

    public TimeSpan DrainTime(ParseResult parsed, GatewayEnvironment environment) =>
        parsed.GetValue(_drainTime) is { } seconds ? TimeSpan.FromSeconds(seconds) : environment.DrainTime ?? TimeSpan.FromSeconds(30);

    public IPEndPoint AdminEndPoint(ParseResult parsed, GatewayEnvironment environment) =>
        parsed.GetValue(_admin) ?? new IPEndPoint(environment.AdminAddress ?? IPAddress.Loopback, environment.AdminPort ?? 8877);

    /// <summary>The options that were given although they concern the embedded proxy alone.</summary>
    public IEnumerable<string> WithoutEffectOnOthers(ParseResult parsed) => new Option[] { _memoryLimit, _maxConnections }
        .Where(option => parsed.GetResult(option) is { Implicit: false })
        .Select(option => $"{option.Name} has no effect: it concerns the embedded proxy alone");

    /// <summary>When the embedded proxy takes no more work.</summary>
    public OverloadOptions Overload(ParseResult parsed, GatewayEnvironment environment) => new()
    {
        MemoryLimit = parsed.GetValue(_memoryLimit) ?? environment.MemoryLimit,
        MaxConnections = parsed.GetValue(_maxConnections) ?? environment.MaxConnections,
        InjectedPressureFile = environment.InjectedPressureFile,
    };

    /// <summary>Runs with a log, until SIGTERM, Ctrl-C or <paramref name="cancellationToken"/>.</summary>
    public async Task<int> RunAsync(
        ParseResult parsed, GatewayEnvironment environment, Func<ILoggerFactory, CancellationToken, Task<int>> serve, CancellationToken cancellationToken,
        params IEnumerable<string> warnings)
    {
        var level = (parsed.GetValue(_logLevel) is { } name ? LogLevels.Parse(name) : environment.LogLevel) ?? LogLevel.Information;
        var json = parsed.GetValue(_logFormat) is { } format ? format == "json" : environment.JsonLogging;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var provider = new StandardErrorLoggerProvider(level, json ? LogFormat.Json : LogFormat.Text, Console.Error, TimeProvider.System);
        // The server below ADS has much to say about itself.
        var filter = new LoggerFilterOptions
        {
            MinLevel = level,
            Rules = { new LoggerFilterRule(null, "Microsoft", level == LogLevel.Trace ? LogLevel.Trace : LogLevel.Warning, null) },
        };
        using var loggers = new LoggerFactory([provider], filter);
        foreach (var problem in environment.Problems.Concat(warnings))
            LogProblem(loggers.CreateLogger("nuncio"), problem);
        return await serve(loggers, stopping.Token);

        void Stop(PosixSignalContext context)
        {
            // A second signal finds the handler gone busy and ends the process at once, as a person who presses Ctrl-C twice wants.
            context.Cancel = !stopping.IsCancellationRequested;
            stopping.Cancel();
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);
}
