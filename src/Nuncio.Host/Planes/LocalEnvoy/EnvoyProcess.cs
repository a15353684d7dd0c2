using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nuncio.Grpc.Client;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>
/// Keeps one Envoy running: starts it, or takes over the one that a gateway before this one left; starts it again, with growing waits, whenever it ends.
/// </summary>
internal sealed partial class EnvoyProcess(EnvoyOptions options, EnvoyFolder folder, ILoggerFactory loggers, TimeProvider time)
{
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(30);
    private readonly ILogger _log = loggers.CreateLogger("nuncio.envoy");
    private readonly GrpcBackOff _backOff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10), Random.Shared);
    private volatile int _id;

    /// <summary>It runs, ready or not.</summary>
    public bool IsRunning => _id != 0;

    /// <summary>Runs until cancelled; leaves Envoy running then, for <see cref="StopAsync"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var mayAdopt = true;
        while (!cancellationToken.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            try
            {
                if (mayAdopt && folder.LeftRunning() is { } left)
                {
                    LogAdopted(left);
                    await WatchAsync(left, cancellationToken);
                }
                else
                {
                    await StartAsync(cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
            {
                LogNotStarted(e.Message);
            }

            mayAdopt = false;
            _id = 0;
            if (time.GetElapsedTime(began) > Steady) _backOff.Reset();
            await DelayAsync(_backOff.Next(), cancellationToken);
        }
    }

    /// <summary>Ends Envoy: by SIGTERM, and hard when it does not follow.</summary>
    public async Task StopAsync()
    {
        if (_id is not (not 0 and var id)) return;
        if (Send(id, SIGTERM) == 0)
        {
            var began = time.GetTimestamp();
            while (IsAlive(id) && time.GetElapsedTime(began) < TimeSpan.FromSeconds(5)) await Task.Delay(TimeSpan.FromMilliseconds(20), time);
            if (IsAlive(id)) Send(id, SIGKILL);
        }

        File.Delete(folder.ProcessId);
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        List<string> arguments = ["-c", folder.Bootstrap, "--disable-hot-restart", "--log-format", EnvoyLogLine.Format, "-l", EnvoyLogLine.LevelOf(_log)];
        if (options.Concurrency is { } concurrency) arguments.AddRange(["--concurrency", concurrency.ToString(CultureInfo.InvariantCulture)]);

        // Access logs go to the standard output that both share; the log comes through ours.
        using var process = Process.Start(new ProcessStartInfo(options.Program, arguments) { RedirectStandardError = true })!;
        _id = process.Id;
        await File.WriteAllTextAsync(folder.ProcessId, process.Id.ToString(CultureInfo.InvariantCulture), cancellationToken);
        LogStarted(process.Id);
        var lines = ReadLogAsync(process.StandardError, cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        await lines;
        LogEnded(process.Id, process.ExitCode);
    }

    private async Task ReadLogAsync(StreamReader errors, CancellationToken cancellationToken)
    {
        var level = LogLevel.Error;
        while (await errors.ReadLineAsync(cancellationToken) is { } line)
        {
            (level, var text) = EnvoyLogLine.Parse(line, level);
            LogLine(level, text);
        }
    }

    /// <summary>A process that is not our child can only be looked at.</summary>
    private async Task WatchAsync(int id, CancellationToken cancellationToken)
    {
        _id = id;
        while (folder.LeftRunning() == id) await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
        LogGone(id);
    }

    private async Task DelayAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(wait, time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The loop looks itself.
        }
    }

    private const int SIGKILL = 9;
    private const int SIGTERM = 15;

    private static bool IsAlive(int id)
    {
        // A child that has ended stays until it is waited for; the runtime does that.
        return Send(id, 0) == 0;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Send(int process, int signal);

    [LoggerMessage(1, LogLevel.Information, "Envoy runs as process {Id}")]
    private partial void LogStarted(int id);

    [LoggerMessage(2, LogLevel.Error, "Envoy, process {Id}, ended with status {Status}; it is started again")]
    private partial void LogEnded(int id, int status);

    [LoggerMessage(3, LogLevel.Information, "Envoy runs already as process {Id}: taken over from the gateway before")]
    private partial void LogAdopted(int id);

    [LoggerMessage(4, LogLevel.Error, "Envoy, process {Id}, has ended; it is started again")]
    private partial void LogGone(int id);

    [LoggerMessage(5, LogLevel.Error, "Envoy cannot be started: {Reason}")]
    private partial void LogNotStarted(string reason);

    [LoggerMessage(EventId = 6, Message = "envoy: {Line}")]
    private partial void LogLine(LogLevel level, string line);
}
