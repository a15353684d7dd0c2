using Microsoft.Extensions.Logging;
using Nuncio.Compiler;
using Nuncio.Host.Admin;
using Nuncio.Host.Planes;
using Nuncio.Resources.Snapshots;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Host;

/// <summary>
/// The composition root of <c>nuncio proxy</c>: one Envoy configuration -> embedded proxy, without manifests and compiler. It tells what the proxy makes of
/// messages that others wrote.
/// </summary>
public sealed partial class StaticProxy(StaticProxyOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private readonly ILogger _log = loggers.CreateLogger("nuncio");
    private readonly GatewayState _state = new();

    /// <summary>Runs until <paramref name="stopping"/>, then drains. False, at once, when the file cannot be read or holds nothing to serve.</summary>
    public async Task<bool> RunAsync(CancellationToken stopping)
    {
        byte[] text;
        try
        {
            text = await File.ReadAllBytesAsync(options.ConfigurationFile, stopping);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(options.ConfigurationFile, e.Message);
            return false;
        }

        var reading = BootstrapReader.Read(text, revision: 1);
        foreach (var error in reading.Errors)
            LogLeftOut(error.FieldPath, error.Message);
        if (reading.Snapshot.Listeners.Count == 0)
        {
            LogNothing(options.ConfigurationFile);
            return false;
        }

        await using var plane = new EmbeddedPlane(loggers, time, options.Overload);
        await using var admin = new LocalHttpServer(options.AdminEndPoint, new AdminProcessor(_state, plane.MetricsAsync), loggers, time);
        if (!admin.TryStart(out var problem))
            LogNoAdmin(options.AdminEndPoint.ToString(), problem);
        var ack = await plane.ApplyAsync(reading.Snapshot, stopping);
        // The same is wrong in every filter chain of a listener.
        foreach (var rejection in ack.Rejections.DistinctBy(rejection => (rejection.TypeUrl, rejection.Name, RejectionPlace.FieldOf(rejection), rejection.Message)))
        {
            if (rejection.IsPartial) LogWithoutEffect(rejection.Name, rejection.FieldPath, rejection.Message);
            else LogRejected(rejection.Name, rejection.FieldPath, rejection.Message);
        }

        _state.Serve(new ServingConfiguration(ResourceSnapshot.Empty, new CompilationResult(reading.Snapshot, [], Provenance.None), []));
        var open = plane.OpenListeners.Select(name => ListenerText.Of(reading.Snapshot.Listeners[name].Message)).Order(StringComparer.Ordinal).ToArray();
        if (open.Length > 0) LogReady(string.Join(", ", open));
        else LogReadyNowhere();
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }

        await plane.DrainAsync(_state, admin, options.DrainTime, _log);
        return true;
    }

    [LoggerMessage(1, LogLevel.Information, "Ready: serving on {Listeners}")]
    private partial void LogReady(string listeners);

    [LoggerMessage(2, LogLevel.Error, "{File} cannot be read: {Reason}")]
    private partial void LogUnreadable(string file, string reason);

    [LoggerMessage(3, LogLevel.Error, "{Path} is left out: {Reason}")]
    private partial void LogLeftOut(string path, string reason);

    [LoggerMessage(4, LogLevel.Error, "{File} has no listener that could be served")]
    private partial void LogNothing(string file);

    [LoggerMessage(5, LogLevel.Error, "Refused: {Name}, {Field}: {Reason}")]
    private partial void LogRejected(string name, string field, string reason);

    [LoggerMessage(7, LogLevel.Warning, "Without effect: {Name}, {Field}: {Reason}")]
    private partial void LogWithoutEffect(string name, string field, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Running, but no listener is open: nothing is served yet")]
    private partial void LogReadyNowhere();

    [LoggerMessage(6, LogLevel.Error, "Health, metrics and dumps cannot be served on {EndPoint}: {Reason}")]
    private partial void LogNoAdmin(string endPoint, string? reason);
}
