using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Sources;

/// <summary>
/// The one event loop between sources and compiler. It waits for every source's first sync, gathers what changes within a short hold-off into one batch,
/// and hands out immutable snapshots one at a time: while one is being compiled, changes wait and become one batch.
/// </summary>
/// <remarks>
/// Four things can happen: an event comes; the hold-off ends; the maximum hold-off ends; the process ends. Only one reader exists, so there is no lock.
/// </remarks>
public sealed partial class SnapshotBuilder(IReadOnlyList<IResourceSource> sources, SnapshotOptions options, TimeProvider time, ILogger<SnapshotBuilder> logger)
{
    private readonly SortedDictionary<string, SortedDictionary<string, Unit>> _units = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unsynced = new(sources.Select(source => source.Name), StringComparer.Ordinal);
    private long _revision;

    /// <summary>Runs the sources and publishes snapshots until cancelled.</summary>
    /// <param name="publish">Takes a snapshot; the next one waits for it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(Func<ResourceSnapshot, CancellationToken, ValueTask> publish, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(publish);
        var channel = Channel.CreateUnbounded<SourceEvent>(new UnboundedChannelOptions { SingleReader = true });
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = sources.Select(source => source.RunAsync(channel.Writer, ending.Token)).ToList();
        try
        {
            running.Add(PublishAsync(channel.Reader, publish, ending.Token));
            // A source ends only when it is cancelled or has failed: either ends the loop.
            await await Task.WhenAny(running);
        }
        finally
        {
            await ending.CancelAsync();
            try
            {
                await Task.WhenAll(running);
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    private async Task PublishAsync(
        ChannelReader<SourceEvent> events, Func<ResourceSnapshot, CancellationToken, ValueTask> publish, CancellationToken cancellationToken)
    {
        while (await events.WaitToReadAsync(cancellationToken))
        {
            var changed = await GatherAsync(events, cancellationToken);
            if (!changed || _unsynced.Count > 0)
                continue;
            var units = _units.Values.SelectMany(units => units.Values).ToList();
            var snapshot = SnapshotAssembler.Assemble(++_revision, units.ConvertAll(unit => unit.Reading), units.SelectMany(unit => unit.Findings), options);
            LogSnapshot(snapshot.Revision, units.Count);
            await publish(snapshot, cancellationToken);
        }
    }

    /// <summary>Takes events until none came for the hold-off or the maximum is over.</summary>
    private async Task<bool> GatherAsync(ChannelReader<SourceEvent> events, CancellationToken cancellationToken)
    {
        var changed = false;
        var began = time.GetTimestamp();
        while (true)
        {
            while (events.TryRead(out var happened))
                changed |= Take(happened);
            // Nothing can be published yet and nothing would be gained by waiting for quiet.
            if (_unsynced.Count > 0)
                return changed;
            var left = options.MaximumHoldOff - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
                return changed;
            var quiet = left < options.HoldOff ? left : options.HoldOff;
            using var timeout = new CancellationTokenSource(quiet, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            try
            {
                await events.WaitToReadAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return changed;
            }
        }
    }

    private bool Take(SourceEvent happened)
    {
        switch (happened)
        {
            case SourceSynced:
                return _unsynced.Remove(happened.Source);
            case SourceChanges together:
                var changed = false;
                foreach (var change in together.Changes) changed |= Take(change);
                return changed;
            case ResourceChange { Reading: null } gone when gone.Findings.Count == 0:
                return _units.TryGetValue(gone.Source, out var remaining) && remaining.Remove(gone.Unit);
            case ResourceChange change:
                if (!_units.TryGetValue(change.Source, out var units))
                    _units.Add(change.Source, units = new SortedDictionary<string, Unit>(StringComparer.Ordinal));
                units[change.Unit] = new Unit(change.Reading ?? ManifestReading.Empty, change.Findings);
                return true;
            default:
                return false;
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Snapshot {Revision} of {Units} files or objects")]
    private partial void LogSnapshot(long revision, int units);

    private sealed record Unit(ManifestReading Reading, IReadOnlyList<Finding> Findings);
}
