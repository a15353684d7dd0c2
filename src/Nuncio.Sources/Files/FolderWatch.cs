using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Nuncio.Sources.Files;

/// <summary>Notifications of the file system for a set of paths, as a queue of touched paths.</summary>
internal sealed partial class FolderWatch : IDisposable
{
    private readonly Channel<(string Path, bool IsWhole)> _touched = Channel.CreateUnbounded<(string, bool)>(
        new UnboundedChannelOptions { SingleReader = true });
    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly ILogger _logger;

    public FolderWatch(IReadOnlyList<string> paths, ILogger logger)
    {
        _logger = logger;
        foreach (var path in paths)
        {
            try
            {
                // A file is replaced by renaming another one over it: only its folder sees that.
                var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path));
                if (folder is not null && Directory.Exists(folder))
                    Add(folder, includeSubfolders: Directory.Exists(path));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                LogUnwatched(path, e.Message);
            }
        }
    }

    /// <summary>What was touched; nothing when nothing was for <paramref name="timeout"/>.</summary>
    public async Task<Touches> WaitAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var isWhole = true;
        var touched = new HashSet<string>(StringComparer.Ordinal);
        using var ending = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ending.Token);
        try
        {
            await _touched.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Touches(touched, isWhole);
        }

        while (_touched.Reader.TryRead(out var touch))
        {
            touched.Add(touch.Path);
            isWhole &= touch.IsWhole;
        }

        return new Touches(touched, isWhole);
    }

    public void Dispose()
    {
        foreach (var watcher in _watchers)
            watcher.Dispose();
    }

    private void Touch(string path, bool isWhole) => _touched.Writer.TryWrite((Path.GetFullPath(path), isWhole || IsHidden(path)));

    // Nobody reads these, so nobody waits for their end; see FileTree.
    private static bool IsHidden(string path) => Path.GetFileName(path).StartsWith('.');

    private void Add(string folder, bool includeSubfolders)
    {
        var watcher = new FileSystemWatcher(folder)
        {
            IncludeSubdirectories = includeSubfolders,
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.CreationTime,
            InternalBufferSize = 65536,
        };
        watcher.Changed += (_, e) => Touch(e.FullPath, isWhole: false);
        watcher.Created += (_, e) => Touch(e.FullPath, isWhole: false);
        watcher.Deleted += (_, e) => Touch(e.FullPath, isWhole: true);
        watcher.Renamed += (_, e) => Touch(e.FullPath, isWhole: true);
        // Events were lost: an unnamed touch makes everything be looked at.
        watcher.Error += (_, _) => _touched.Writer.TryWrite((folder, false));
        watcher.EnableRaisingEvents = true;
        _watchers.Add(watcher);
    }

    [LoggerMessage(2, LogLevel.Warning, "{Path} cannot be watched, changes are seen only every few seconds: {Reason}")]
    private partial void LogUnwatched(string path, string reason);
}

/// <summary>What notifications told.</summary>
/// <param name="Paths">Absolute; empty when nothing came.</param>
/// <param name="AreWhole">Nobody is still writing: each was put in its place by a rename, or taken away.</param>
internal readonly record struct Touches(HashSet<string> Paths, bool AreWhole);
