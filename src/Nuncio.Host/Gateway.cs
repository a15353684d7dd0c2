using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Nuncio.Compiler;
using Nuncio.Diagnostics.Explaining;
using Nuncio.Diagnostics.Findings;
using Nuncio.Host.Admin;
using Nuncio.Host.Demo;
using Nuncio.Host.Planes;
using Nuncio.Host.Planes.LocalEnvoy;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;
using Nuncio.Resources.Snapshots;
using Nuncio.Sources;
using Nuncio.Sources.Files;
using Nuncio.Sources.Istio;
using Nuncio.Xds;

namespace Nuncio.Host;

/// <summary>
/// The composition root of <c>nuncio run</c>: files -> snapshot -> compiler -> data plane, with the admin server beside.
/// </summary>
public sealed partial class Gateway(GatewayOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private readonly ILogger _log = loggers.CreateLogger("nuncio");
    private readonly GatewayState _state = new();
    private readonly SnapshotCompiler _compiler = new(options.Compiler);
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly LastGoodStore? _lastGood = options.LastGood is { } lastGood ? new(lastGood, loggers.CreateLogger("nuncio")) : null;
    private readonly Lock _reporting = new();
    private HashSet<Finding> _reported = [];
    private XdsSnapshot? _restored;
    private Change? _onItsWay;
    private List<string>? _said;

    /// <summary>Runs until <paramref name="stopping"/>, then drains. False when it cannot begin, which was logged.</summary>
    public async Task<bool> RunAsync(CancellationToken stopping)
    {
        // What takes traffic, and what shows it.
        await using var plane = CreatePlane();
        _state.DataPlaneServes = () => plane.IsServing;
        await using var admin = new LocalHttpServer(
            options.AdminEndPoint, new AdminProcessor(_state, plane.MetricsAsync, options.Compiler.AmbassadorId), loggers, time);
        await using var demo = new DemoBackends(loggers, time);
        if (await plane.StartAsync(stopping) is { } problem)
        {
            LogImpossible(problem);
            return false;
        }

        StartAdmin(admin);
        plane.Changed += () => _news.Writer.TryWrite(true);
        var following = FollowAsync(plane, stopping);

        // What feeds it.
        await RestoreAsync(plane, stopping);
        var keeping = KeepAsync(plane, _restored, stopping);
        var reader = new ManifestReader(new ReadingOptions { Environment = Environment.GetEnvironmentVariable });
        var files = new FileSource(options.Paths, reader, FileSourceOptions.Default, time, loggers.CreateLogger<FileSource>());
        IResourceSource[] sources = options.IstioSecretFolder is { } folder
            ? [files, new IstioSecretSource(folder, options.Compiler.Namespace, reader, time)]
            : [files];
        var builder = new SnapshotBuilder(sources, options.Snapshots, time, loggers.CreateLogger<SnapshotBuilder>());
        try
        {
            await builder.RunAsync((snapshot, cancellationToken) => TakeAsync(demo.Resolve(snapshot), plane, cancellationToken), stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }

        await following;
        await keeping;
        await plane.DrainAsync(_state, admin, options.DrainTime, _log);
        LogStopped();
        return true;
    }

    private IGatewayPlane CreatePlane() =>
        options.Envoy is { } envoy ? new EnvoyPlane(envoy, options.Overload, options.DrainTime, loggers, time)
        : options.Fleet is { } fleet ? new FleetPlane(fleet, loggers, time)
        : new EmbeddedPlane(loggers, time, options.Overload, refusesRoutesAlone: true);

    private async ValueTask TakeAsync(ResourceSnapshot resources, IGatewayPlane plane, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var compilation = _compiler.Compile(resources);
        var compiled = time.GetElapsedTime(began);
        if ((_restored is not null || _state.Serving is not null || plane.OutlivesProcess) && !resources.All().Any() && resources.Findings.Any(IsUnreachable))
        {
            // Nothing can be read, or not any more: what serves is better than nothing.
            lock (_reporting) Report(resources.Findings);
            return;
        }

        _restored = null;
        var ack = await plane.ApplyAsync(compilation.Snapshot, cancellationToken);
        Serve(resources, compilation, ack);
        Volatile.Write(ref _onItsWay, new Change(resources.Revision, began, compiled));
        Arrived(plane);
        _news.Writer.TryWrite(true);
    }

    /// <summary>Takes up what a data plane says later: it may refuse a configuration long after it was sent, or take it once its reason is gone.</summary>
    private async Task FollowAsync(IGatewayPlane plane, CancellationToken stopping)
    {
        try
        {
            while (await _news.Reader.ReadAsync(stopping))
            {
                if (_state.Serving is not { } serving) continue;
                Serve(serving.Resources, serving.Compilation, new XdsAck(serving.Compilation.Snapshot.Revision, plane.Rejections));
                Arrived(plane);
                if (!plane.IsServing) continue;
                SayWhere(Open(plane, serving.Compilation), serving);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private void Arrived(IGatewayPlane plane)
    {
        if (Volatile.Read(ref _onItsWay) is not { } change || !plane.HasAccepted(change.Revision)
            || Interlocked.CompareExchange(ref _onItsWay, null, change) != change) return;
        var listeners = _state.Serving is { } serving ? Open(plane, serving.Compilation).Count : 0;
        LogServing(change.Revision, listeners, change.Compiled.TotalMilliseconds, time.GetElapsedTime(change.Began).TotalMilliseconds);
    }

    /// <summary>Where connections are taken: a listener that was refused, since its port belongs to another process for instance, is not there.</summary>
    private static List<string> Open(IGatewayPlane plane, CompilationResult compilation)
    {
        var refused = plane.Rejections
            .Where(rejection => !rejection.IsPartial && rejection.TypeUrl.EndsWith(".Listener", StringComparison.Ordinal))
            .Select(rejection => rejection.Name)
            .ToHashSet(StringComparer.Ordinal);
        return
        [
            .. compilation.Snapshot.Listeners
                .Where(pair => !refused.Contains(pair.Key))
                .Select(pair => ListenerText.Of(pair.Value.Message))
                .Order(StringComparer.Ordinal),
        ];
    }

    private void SayWhere(List<string> open, ServingConfiguration serving)
    {
        if (open.Count == 0)
        {
            if (_said is null) LogReadyNowhere();
            _said ??= [];
            return;
        }

        if (_said is not { Count: > 0 })
        {
            LogReady(string.Join(", ", open));
            if (SampleRequest.Find(serving.Resources, serving.Compilation) is { } sample) LogSample(sample);
        }
        else if (open.Except(_said, StringComparer.Ordinal).ToList() is { Count: > 0 } more) LogMore(string.Join(", ", more));
        _said = open;
    }

    private void Serve(ResourceSnapshot resources, CompilationResult compilation, XdsAck ack)
    {
        lock (_reporting)
        {
            // What was said about an older configuration comes too late.
            if (_state.Serving is { } newer && newer.Resources.Revision > resources.Revision) return;
            ImmutableArray<Finding> findings =
                [.. resources.Findings, .. FindingReport.WithPlaces(compilation.Findings, resources), .. RejectionFindings.Of(ack, compilation, resources)];
            Report(findings);
            _state.Serve(new ServingConfiguration(resources, compilation, findings));
        }
    }

    private async Task RestoreAsync(IGatewayPlane plane, CancellationToken cancellationToken)
    {
        if (_lastGood?.Read() is not { } snapshot) return;
        _restored = snapshot;
        await plane.ApplyAsync(snapshot, cancellationToken);
        _state.ServeLastGood();
        LogRestored(snapshot.Listeners.Count, snapshot.Clusters.Count);
    }

    /// <summary>Writes what is in effect to disk, once it has been for a moment.</summary>
    private async Task KeepAsync(IGatewayPlane plane, XdsSnapshot? restored, CancellationToken stopping)
    {
        if (_lastGood is null) return;
        XdsSnapshot? offered = null, kept = restored;
        ImmutableArray<XdsRejection> refused = [];
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), time, stopping);
                if (_state.Serving?.Compilation.Snapshot is not { } snapshot || !plane.IsProven(snapshot.Revision)) continue;
                var rejections = plane.Rejections;
                if (ReferenceEquals(snapshot, offered) && rejections.SequenceEqual(refused)) continue;
                kept = AcceptedSnapshot.Of(snapshot, kept, rejections);
                await _lastGood.WriteAsync(kept, stopping);
                (offered, refused) = (snapshot, rejections);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private static bool IsUnreachable(Finding finding) => finding.Code is FindingCodes.PathNotFound or FindingCodes.FileUnreadable;

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

    [LoggerMessage(
        2, LogLevel.Information, "Configuration {Revision} serves: {Listeners} listeners, compiled in {CompileMs:0.0} ms, live after {LiveMs:0.0} ms")]
    private partial void LogServing(long revision, int listeners, double compileMs, double liveMs);

    [LoggerMessage(EventId = 3, Message = "{Finding}")]
    private partial void LogFinding(LogLevel level, string finding);

    [LoggerMessage(5, LogLevel.Information, "Stopped")]
    private partial void LogStopped();

    [LoggerMessage(6, LogLevel.Information, "Health, metrics and dumps on http://{EndPoint}")]
    private partial void LogAdmin(string endPoint);

    [LoggerMessage(7, LogLevel.Error, "Health, metrics and dumps cannot be served on {EndPoint}: {Reason}")]
    private partial void LogNoAdmin(string endPoint, string? reason);

    [LoggerMessage(8, LogLevel.Error, "{Reason}")]
    private partial void LogImpossible(string reason);

    [LoggerMessage(9, LogLevel.Warning, "The last good configuration serves until the sources are read: {Listeners} listeners, {Clusters} clusters")]
    private partial void LogRestored(int listeners, int clusters);

    [LoggerMessage(10, LogLevel.Warning, "Running, but no listener is open: nothing is served yet")]
    private partial void LogReadyNowhere();

    [LoggerMessage(11, LogLevel.Information, "Serving on {Listeners} as well")]
    private partial void LogMore(string listeners);

    [LoggerMessage(12, LogLevel.Information, "Try it: {Command}")]
    private partial void LogSample(string command);

    /// <summary>A configuration that the data plane has not taken yet.</summary>
    private sealed record Change(long Revision, long Began, TimeSpan Compiled);
}
