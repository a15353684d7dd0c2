namespace Nuncio.Sources.Files;

/// <summary>What a file looked like without being read; equal stamps mean that it need not be read again.</summary>
/// <param name="Target">The final target where the path is a symbolic link, as in a mounted ConfigMap, else the path.</param>
/// <param name="Length">In bytes.</param>
/// <param name="LastWrite">In ticks of UTC.</param>
internal readonly record struct FileStamp(string Target, long Length, long LastWrite);

/// <summary>Finds the manifest files below the given paths.</summary>
internal static class FileTree
{
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
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var links = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (Directory.Exists(path))
            {
                AddFolder(path, found, seen, links, 0);
                if (Directory.Exists(path)) continue;

                // It went away while it was looked through: that some of its files are not there says nothing of what the user wants.
                var below = Path.TrimEndingDirectorySeparator(path) + Path.DirectorySeparatorChar;
                foreach (var file in found.Keys.Where(file => file.StartsWith(below, StringComparison.Ordinal)).ToList())
                    found.Remove(file);
                missing.Add(path);
            }
            else if (Stamp(path) is { } stamp)
                found[path] = stamp;
            else
                missing.Add(path);
        }

        // Folders come under their own names before any link to them, so that the name of a file does not depend on the order that a disk lists them in.
        while (links.Min is { } link)
        {
            links.Remove(link);
            AddFolder(link, found, seen, links, 0);
        }

        return found;
    }

    /// <param name="folder">As it is reached.</param>
    /// <param name="found">Gets the files.</param>
    /// <param name="seen">Where the folders really are that were looked into: no second way to one of them counts, so a link may lead in a circle.</param>
    /// <param name="links">Gets the symbolic links to folders.</param>
    /// <param name="depth">How many folders are above it.</param>
    private static void AddFolder(string folder, SortedDictionary<string, FileStamp> found, HashSet<string> seen, SortedSet<string> links, int depth)
    {
        string[] entries;
        try
        {
            if (depth > MaxDepth || !seen.Add(RealPath.Of(folder)))
                return;
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
            if (!Directory.Exists(entry))
            {
                if (IsManifest(entry) && Stamp(entry) is { } stamp)
                    found[entry] = stamp;
            }
            else if (new DirectoryInfo(entry).LinkTarget is not null)
            {
                links.Add(entry);
            }
            else
            {
                AddFolder(entry, found, seen, links, depth + 1);
            }
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
