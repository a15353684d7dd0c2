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

    /// <summary>Told when an Envoy has ended, before the next is started.</summary>
    public event Action? Ended;

    /// <summary>It runs, ready or not.</summary>
    public bool IsRunning => _id != 0;

    /// <summary>
    /// Keeps Envoy running until cancelled. Then it is not started again, but its log is read on until it ends: an Envoy that cannot write its log stands
    /// still. An Envoy that was taken over is not waited for.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var isFirst = true;
        while (!cancellationToken.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            try
            {
                if (!isFirst || folder.LeftRunning() is not { } left)
                {
                    await StartAsync(cancellationToken);
                }
                else if (folder.WasStartedWith(left))
                {
                    LogAdopted(left.Id);
                    await WatchAsync(left.Id, cancellationToken);
                }
                else
                {
                    // It has another bootstrap: with other addresses it would never be ready, and a second one beside it would fight for its ports.
                    LogReplaced(left.Id);
                    await EndAsync(left.Id);
                    await StartAsync(cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                LogNotStarted(e.Message);
            }

            isFirst = false;
            _id = 0;
            Ended?.Invoke();
            if (time.GetElapsedTime(began) > Steady) _backOff.Reset();
            await DelayAsync(_backOff.Next(), cancellationToken);
        }
    }

    /// <summary>Ends Envoy: by SIGTERM, and hard when it does not follow.</summary>
    public async Task StopAsync()
    {
        if (_id is not (not 0 and var id)) return;
        await EndAsync(id);
        folder.ForgetStarted();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        List<string> arguments = ["-c", folder.Bootstrap, "--disable-hot-restart", "--log-format", EnvoyLogLine.Format, "-l", EnvoyLogLine.LevelOf(_log)];
        if (options.Concurrency is { } concurrency) arguments.AddRange(["--concurrency", concurrency.ToString(CultureInfo.InvariantCulture)]);

        // Access logs go to the standard output that both share; the log comes through ours.
        using var process = Process.Start(new ProcessStartInfo(options.Program, arguments) { RedirectStandardError = true })!;
        _id = process.Id;
        LogStarted(process.Id);

        // Whatever goes wrong from here on, this Envoy runs: no second one may be started beside it.
        if (folder.RememberStarted(process.Id) is { } problem) LogNotRemembered(process.Id, problem);
        if (cancellationToken.IsCancellationRequested) await EndAsync(process.Id);
        await ReadLogAsync(process.StandardError);
        await process.WaitForExitAsync(CancellationToken.None);
        if (!cancellationToken.IsCancellationRequested) LogEnded(process.Id, process.ExitCode);
    }

    private async Task ReadLogAsync(StreamReader errors)
    {
        var level = LogLevel.Error;
        try
        {
            while (await errors.ReadLineAsync(CancellationToken.None) is { } line)
            {
                (level, var text) = EnvoyLogLine.Parse(line, level);
                LogLine(level, text);
            }
        }
        catch (IOException e)
        {
            LogUnread(e.Message);
        }
    }

    /// <summary>A process that is not our child can only be looked at.</summary>
    private async Task WatchAsync(int id, CancellationToken cancellationToken)
    {
        _id = id;
        while (folder.LeftRunning()?.Id == id) await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
        LogGone(id);
    }

    private async Task EndAsync(int id)
    {
        if (Send(id, SIGTERM) != 0) return;
        var began = time.GetTimestamp();
        while (IsAlive(id) && time.GetElapsedTime(began) < TimeSpan.FromSeconds(5)) await Task.Delay(TimeSpan.FromMilliseconds(20), time);
        if (IsAlive(id)) Send(id, SIGKILL);
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

    [LoggerMessage(7, LogLevel.Warning, "Envoy, process {Id}, was started with another bootstrap: it is ended, and a new one started")]
    private partial void LogReplaced(int id);

    [LoggerMessage(
        8, LogLevel.Warning, "It cannot be written down that Envoy runs as process {Id}, so a gateway that is started again cannot take it over: {Reason}")]
    private partial void LogNotRemembered(int id, string reason);

    [LoggerMessage(9, LogLevel.Error, "Envoy's log cannot be read any more: {Reason}")]
    private partial void LogUnread(string reason);

    [LoggerMessage(EventId = 6, Message = "envoy: {Line}")]
    private partial void LogLine(LogLevel level, string line);
}
