using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Nuncio.Compiler;
using Nuncio.DataPlane;
using Nuncio.Diagnostics.Findings;
using Nuncio.Host.Admin;
using Nuncio.Host.Demo;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;
using Nuncio.Resources.Snapshots;
using Nuncio.Sources;
using Nuncio.Sources.Files;

namespace Nuncio.Host;

/// <summary>
/// The composition root of <c>nuncio run</c>: files -> snapshot -> compiler -> embedded proxy, with the admin server beside.
/// </summary>
public sealed partial class Gateway(GatewayOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private readonly ILogger _log = loggers.CreateLogger("nuncio");
    private readonly GatewayState _state = new();
    private readonly SnapshotCompiler _compiler = new(options.Compiler);
    private HashSet<Finding> _reported = [];

    /// <summary>Runs until <paramref name="stopping"/>, then drains.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        // What takes traffic, and what shows it.
        await using var proxy = new EmbeddedProxy(loggers, time);
        await using var admin = new LocalHttpServer(options.AdminEndPoint, new AdminProcessor(_state, proxy.Metrics), loggers, time);
        await using var demo = new DemoBackends(loggers, time);
        StartAdmin(admin);

        // What feeds it.
        var reader = new ManifestReader(new ReadingOptions { Environment = Environment.GetEnvironmentVariable });
        var files = new FileSource(options.Paths, reader, FileSourceOptions.Default, time, loggers.CreateLogger<FileSource>());
        var builder = new SnapshotBuilder([files], options.Snapshots, time, loggers.CreateLogger<SnapshotBuilder>());
        try
        {
            await builder.RunAsync((snapshot, cancellationToken) => TakeAsync(demo.Resolve(snapshot), proxy, cancellationToken), stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }

        _state.Drain();
        LogDraining(options.DrainTime.TotalSeconds);
        await proxy.DrainAsync(options.DrainTime, CancellationToken.None);
        LogStopped();
    }

    private async ValueTask TakeAsync(ResourceSnapshot resources, EmbeddedProxy proxy, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var compilation = _compiler.Compile(resources);
        var compiled = time.GetElapsedTime(began);
        var ack = await proxy.ApplyAsync(compilation.Snapshot, cancellationToken);
        ImmutableArray<Finding> findings = [.. resources.Findings, .. FindingReport.WithPlaces(compilation.Findings, resources), .. RejectionFindings.Of(ack, compilation, resources)];
        Report(findings);
        var first = _state.Serving is null;
        _state.Serve(new ServingConfiguration(resources, compilation, findings));
        LogServing(resources.Revision, compilation.Snapshot.Listeners.Count, compiled.TotalMilliseconds, time.GetElapsedTime(began).TotalMilliseconds);
        if (first)
            LogReady(string.Join(", ", compilation.Snapshot.Listeners.Values.Select(listener => ListenerText.Of(listener.Message)).Order(StringComparer.Ordinal)));
    }

    /// <summary>Logs each finding when it appears, not with every change of something else.</summary>
    private void Report(ImmutableArray<Finding> findings)
    {
        foreach (var finding in findings)
        {
            if (_reported.Contains(finding))
                continue;
            var level = finding.Level switch
            {
                FindingLevel.Error => LogLevel.Error,
                FindingLevel.Warning => LogLevel.Warning,
                _ => LogLevel.Information,
            };
            LogFinding(level, FindingReport.Line(finding));
        }

        _reported = [.. findings];
    }

    private void StartAdmin(LocalHttpServer admin)
    {
        if (admin.TryStart(out var error))
            LogAdmin(admin.EndPoint!.ToString());
        else
            LogNoAdmin(options.AdminEndPoint.ToString(), error);
    }

    [LoggerMessage(1, LogLevel.Information, "Ready: serving on {Listeners}")]
    private partial void LogReady(string listeners);

    [LoggerMessage(2, LogLevel.Information, "Configuration {Revision} serves: {Listeners} listeners, compiled in {CompileMs:0.0} ms, live after {LiveMs:0.0} ms")]
    private partial void LogServing(long revision, int listeners, double compileMs, double liveMs);

    [LoggerMessage(EventId = 3, Message = "{Finding}")]
    private partial void LogFinding(LogLevel level, string finding);

    [LoggerMessage(4, LogLevel.Information, "Stopping: open requests have {Seconds} s to end")]
    private partial void LogDraining(double seconds);

    [LoggerMessage(5, LogLevel.Information, "Stopped")]
    private partial void LogStopped();

    [LoggerMessage(6, LogLevel.Information, "Health, metrics and dumps on http://{EndPoint}")]
    private partial void LogAdmin(string endPoint);

    [LoggerMessage(7, LogLevel.Error, "Health, metrics and dumps cannot be served on {EndPoint}: {Reason}")]
    private partial void LogNoAdmin(string endPoint, string? reason);
}
