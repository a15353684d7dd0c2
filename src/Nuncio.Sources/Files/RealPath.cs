namespace Nuncio.Sources.Files;

/// <summary>Where a path leads once every symbolic link in it is followed: two paths to one folder give the same.</summary>
internal static class RealPath
{
    // As many as Linux follows in one path.
    private const int MaxLinks = 40;

    /// <summary>The path without links.</summary>
    /// <exception cref="IOException">The links lead in a circle.</exception>
    public static string Of(string path)
    {
        var followed = 0;
        var rest = new Stack<string>();
        var real = Push(rest, Path.GetFullPath(path));
        while (rest.TryPop(out var name))
        {
            var next = Path.Combine(real, name);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++followed > MaxLinks)
                throw new IOException($"Too many symbolic links in '{path}'");

            // What a link says counts from the folder that it really is in.
            real = Push(rest, Path.GetFullPath(target, real));
        }

        return real;
    }

    private static string Push(Stack<string> rest, string fullPath)
    {
        var root = Path.GetPathRoot(fullPath)!;
        foreach (var name in fullPath[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse())
            rest.Push(name);
        return root;
    }
}
