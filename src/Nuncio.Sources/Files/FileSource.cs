using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;

namespace Nuncio.Sources.Files;

/// <summary>
/// Manifests in files and folders, watched. A unit is a file. A change is read as soon as the file has been quiet for a moment, so that a file that is
/// being written is not read half, or at once where it was put in place by a rename; one that is broken keeps its last good content.
/// </summary>
public sealed partial class FileSource(
    IReadOnlyList<string> paths, ManifestReader reader, FileSourceOptions options, TimeProvider time, ILogger<FileSource> logger) : IResourceSource
{
    private readonly Dictionary<string, FileState> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _unreadable = new(StringComparer.Ordinal);
    private List<string> _missing = [];

    /// <inheritdoc/>
    public string Name => "files";

    /// <summary>Reads everything once, without watching.</summary>
    public IReadOnlyList<ResourceChange> ReadOnce() => Scan([]);

    /// <inheritdoc/>
    public async Task RunAsync(ChannelWriter<SourceEvent> events, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(events);
        using var watch = new FolderWatch(paths, logger);
        foreach (var change in Scan([]))
            await events.WriteAsync(change, cancellationToken);
        await events.WriteAsync(new SourceSynced(Name), cancellationToken);
        while (true)
        {
            // The regular look finds what no notification tells: network file systems, a lost event, a folder that appears later.
            var touched = await watch.WaitAsync(options.RescanInterval, time, cancellationToken);
            if (!touched.AreWhole)
                await SettleAsync(watch, touched.Paths, cancellationToken);
            var changes = Scan(touched.Paths);
            if (changes.Count == 0) continue;
            foreach (var change in changes) LogChanged(change.Unit);
            await events.WriteAsync(new SourceChanges(Name, changes), cancellationToken);
        }
    }

    /// <summary>Waits until nothing was written for a moment, but not for ever.</summary>
    private async Task SettleAsync(FolderWatch watch, HashSet<string> touched, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < options.MaximumSettle)
        {
            var more = await watch.WaitAsync(options.Settle, time, cancellationToken);
            if (more.Paths.Count == 0)
                break;
            touched.UnionWith(more.Paths);
        }
    }

    private List<ResourceChange> Scan(HashSet<string> touched)
    {
        var missing = new List<string>();
        var found = FileTree.Find(paths, missing);
        if (_files.Keys.Any(path => !found.ContainsKey(path)))
        {
            // A folder that was moved away and back while it was looked through may have shown a part of its files: what seems gone is looked for once more.
            missing.Clear();
            found = FileTree.Find(paths, missing);
        }

        var changes = new List<ResourceChange>();
        foreach (var path in _files.Keys.Where(path => !found.ContainsKey(path)).ToList())
        {
            _files.Remove(path);
            _unreadable.Remove(path);
            changes.Add(new ResourceChange(Name, path, null, []));
        }

        foreach (var (path, stamp) in found)
        {
            _files.TryGetValue(path, out var before);
            if (before is not null && before.Stamp == stamp && !WasTouched(path, touched))
                continue;
            if (Read(path, stamp, before) is { } change)
                changes.Add(change);
        }

        foreach (var path in missing.Except(_missing))
            changes.Add(new ResourceChange(Name, path, null, [NotFound(path)]));
        foreach (var path in _missing.Except(missing).Where(path => !found.ContainsKey(path)))
            changes.Add(new ResourceChange(Name, path, null, []));
        _missing = missing;
        return changes;
    }

    // Two writes within one tick of the file system's clock leave equal stamps, so a notification counts whatever the stamp says. Of a mounted ConfigMap
    // only the hidden link is touched that all its files go through.
    private static bool WasTouched(string path, HashSet<string> touched)
    {
        if (touched.Count == 0)
            return false;
        var full = Path.GetFullPath(path);
        return touched.Contains(full) || touched.Contains(Path.Combine(Path.GetDirectoryName(full)!, "..data"));
    }

    private ResourceChange? Read(string path, FileStamp stamp, FileState? before)
    {
        string text;
        try
        {
            text = File.ReadAllText(path, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The content is not remembered, so that the next look tries again; but the same trouble is no change.
            if (_unreadable.TryGetValue(path, out var known) && known == e.Message)
                return null;
            _unreadable[path] = e.Message;
            var finding = new Finding(
                FindingCodes.FileUnreadable, FindingLevel.Error, $"The file cannot be read: {e.Message}", null, "", new SourceLocation(path, 1, 1));
            return new ResourceChange(Name, path, before?.InEffect, [finding]);
        }

        var wasUnreadable = _unreadable.Remove(path);
        if (before is not null && before.Text == text && !wasUnreadable)
        {
            _files[path] = before with { Stamp = stamp };
            return null;
        }

        var findings = new List<Finding>();
        var now = reader.Read(path, text, before?.Read);
        var inEffect = LastGoodReading.Choose(path, text, now, before?.InEffect, findings);
        _files[path] = new FileState(stamp, text, now.IsBroken ? before?.Read : now, inEffect);
        return new ResourceChange(Name, path, inEffect, findings);
    }

    private static Finding NotFound(string path) =>
        new(
            FindingCodes.PathNotFound, FindingLevel.Error, "There is no such file or folder; it is read as soon as it appears", null, "",
            new SourceLocation(path, 1, 1));

    [LoggerMessage(1, LogLevel.Debug, "{File} changed")]
    private partial void LogChanged(string file);

    /// <summary>What is known of a file.</summary>
    /// <param name="Stamp">When it was read.</param>
    /// <param name="Text">What it held then.</param>
    /// <param name="Read">The last reading that was not broken: unchanged documents are taken from it.</param>
    /// <param name="InEffect">What takes effect.</param>
    private sealed record FileState(FileStamp Stamp, string Text, ManifestReading? Read, ManifestReading InEffect);
}
