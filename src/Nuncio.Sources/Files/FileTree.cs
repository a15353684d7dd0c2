namespace Nuncio.Sources.Files;

/// <summary>What a file looked like without being read; equal stamps mean that it need not be read again.</summary>
/// <param name="Target">The final target where the path is a symbolic link, as in a mounted ConfigMap, else the path.</param>
/// <param name="Length">In bytes.</param>
/// <param name="LastWrite">In ticks of UTC.</param>
internal readonly record struct FileStamp(string Target, long Length, long LastWrite);

/// <summary>Finds the manifest files below the given paths.</summary>
internal static class FileTree
{
    // A loop of symbolic links ends here at the latest.
    private const int MaxDepth = 64;

    /// <summary>Whether a file inside a folder is a manifest; a file that is named by itself always is.</summary>
    public static bool IsManifest(string path) => Path.GetExtension(path) is ".yaml" or ".yml" or ".json";

    /// <summary>
    /// All files with their stamps, by path. Names that begin with a dot are skipped: editors keep their swap files so, and a mounted ConfigMap the
    /// versions that its visible names link to.
    /// </summary>
    /// <param name="paths">Files and folders as the user gave them.</param>
    /// <param name="missing">Gets the ones of them that are not there.</param>
    public static SortedDictionary<string, FileStamp> Find(IReadOnlyList<string> paths, List<string> missing)
    {
        var found = new SortedDictionary<string, FileStamp>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (Directory.Exists(path))
                AddFolder(path, found, 0);
            else if (Stamp(path) is { } stamp)
                found[path] = stamp;
            else
                missing.Add(path);
        }

        return found;
    }

    private static void AddFolder(string folder, SortedDictionary<string, FileStamp> found, int depth)
    {
        if (depth > MaxDepth)
            return;
        string[] entries;
        try
        {
            entries = Directory.GetFileSystemEntries(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It went away between being listed and being opened, or may not be read: what is inside counts as absent.
            return;
        }

        foreach (var entry in entries)
        {
            if (Path.GetFileName(entry).StartsWith('.'))
                continue;
            if (Directory.Exists(entry))
                AddFolder(entry, found, depth + 1);
            else if (IsManifest(entry) && Stamp(entry) is { } stamp)
                found[entry] = stamp;
        }
    }

    private static FileStamp? Stamp(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.LinkTarget is not null && file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target)
                file = target;
            return file.Exists ? new FileStamp(file.FullName, file.Length, file.LastWriteTimeUtc.Ticks) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
