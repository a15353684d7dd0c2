using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nuncio.Host;
using Nuncio.Host.Logging;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio run</c>: the gateway.</summary>
internal static partial class RunCommand
{
    public static Command Create()
    {
        var input = new InputOptions();
        var drainTime = new Option<double?>("--drain-time") { Description = "Seconds that open requests have to end after SIGTERM (AMBASSADOR_DRAIN_TIME; default 30)" };
        drainTime.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is < 0 or > 86400)
                result.AddError("--drain-time: seconds from 0 to 86400");
        });
        var admin = new Option<IPEndPoint?>("--admin")
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
        var logLevel = new Option<string?>("--log-level") { Description = $"How much to log on standard error: {LogLevels.Names} (AES_LOG_LEVEL; default info)" };
        logLevel.AcceptOnlyFromAmong("error", "warn", "info", "debug", "trace");
        var logFormat = new Option<string?>("--log-format") { Description = "text or json (AMBASSADOR_JSON_LOGGING=true; default text)" };
        logFormat.AcceptOnlyFromAmong("text", "json");

        var planes = new DataPlaneOptions();
        var command = new Command("run", Examples.With(
            "Serves the manifests: reads them, watches them, and takes every change without disturbing what it does not concern. Access logs go to standard output, "
            + "the log of nuncio itself to standard error. It starts whatever is wrong with the manifests, and says so.",
            "nuncio run examples/quickstart",
            "nuncio run manifests/ extra.yaml --resolve quote=127.0.0.1:9000",
            "nuncio run manifests/ --resolve '*=127.0.0.1:9000' --log-format json",
            "nuncio run manifests/ --data-plane envoy --envoy /usr/local/bin/envoy",
            "nuncio run manifests/ --data-plane none --xds-address 127.0.0.1:18000"));
        input.AddTo(command);
        command.Options.Add(drainTime);
        command.Options.Add(admin);
        command.Options.Add(logLevel);
        command.Options.Add(logFormat);
        planes.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var environment = new GatewayEnvironment(Environment.GetEnvironmentVariable);
            var adminEndPoint = parsed.GetValue(admin) ?? new IPEndPoint(environment.AdminAddress ?? IPAddress.Loopback, environment.AdminPort ?? 8877);
            var options = new GatewayOptions
            {
                Paths = parsed.GetRequiredValue(input.Paths),
                Compiler = input.Compiler(parsed, environment),
                Snapshots = input.Snapshots(parsed, environment),
                DrainTime = parsed.GetValue(drainTime) is { } seconds ? TimeSpan.FromSeconds(seconds) : environment.DrainTime ?? TimeSpan.FromSeconds(30),
                AdminEndPoint = adminEndPoint,
                Envoy = planes.Envoy(parsed, environment, adminEndPoint),
                Fleet = planes.Fleet(parsed),
                LastGood = planes.LastGood(parsed),
            };
            var level = parsed.GetValue(logLevel) is { } name ? LogLevels.Parse(name) : environment.LogLevel;
            var json = parsed.GetValue(logFormat) is { } format ? format == "json" : environment.JsonLogging;
            return RunAsync(options, environment, level ?? LogLevel.Information, json ? LogFormat.Json : LogFormat.Text, cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        GatewayOptions options, GatewayEnvironment environment, LogLevel level, LogFormat format, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var provider = new StandardErrorLoggerProvider(level, format, Console.Error, TimeProvider.System);
        // The server below ADS has much to say about itself.
        var filter = new LoggerFilterOptions { MinLevel = level, Rules = { new LoggerFilterRule(null, "Microsoft", level == LogLevel.Trace ? LogLevel.Trace : LogLevel.Warning, null) } };
        using var loggers = new LoggerFactory([provider], filter);
        foreach (var problem in environment.Problems)
            LogVariable(loggers.CreateLogger("nuncio"), problem);
        return await new Gateway(options, loggers, TimeProvider.System).RunAsync(stopping.Token) ? ExitCodes.Success : ExitCodes.Usage;

        void Stop(PosixSignalContext context)
        {
            // A second signal finds the handler gone busy and ends the process at once, as a person who presses Ctrl-C twice wants.
            context.Cancel = !stopping.IsCancellationRequested;
            stopping.Cancel();
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Problem}")]
    private static partial void LogVariable(ILogger logger, string problem);
}
