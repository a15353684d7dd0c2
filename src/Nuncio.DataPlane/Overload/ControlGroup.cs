using System.Globalization;

namespace Nuncio.DataPlane.Overload;

/// <summary>What Linux lets this process have (control groups, versions 1 and 2).</summary>
internal static class ControlGroup
{
    // Where nothing is limited version 1 says the largest number of pages.
    private const long Unlimited = 1L << 50;

    /// <summary>
    /// Memory in bytes; null without a limit. The smallest counts of the process's own group and all above it: a Pod may have a limit that its
    /// containers have not.
    /// </summary>
    /// <param name="root">Where <c>proc</c> and <c>sys</c> are.</param>
    public static long? MemoryLimit(string root)
    {
        var groups = Path.Combine(root, "sys/fs/cgroup");
        long? least = null;

        // Inside a container the group's own folder may be the root of what is mounted, whatever its path says.
        foreach (var (folder, file) in new[] { (groups, "memory.max"), (Path.Combine(groups, "memory"), "memory.limit_in_bytes") })
        {
            foreach (var path in OwnPaths(root, isSecondVersion: file == "memory.max").Prepend(""))
            {
                for (var own = path; ; own = own[..own.LastIndexOf('/')])
                {
                    if (Read(folder + own + "/" + file) is { } limit && !(least <= limit))
                    {
                        least = limit;
                    }

                    if (own.Length == 0)
                    {
                        break;
                    }
                }
            }
        }

        return least;
    }

    // Lines are ID:CONTROLLERS:PATH; version 2 has one with the id 0 and no controllers.
    private static IEnumerable<string> OwnPaths(string root, bool isSecondVersion)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(Path.Combine(root, "proc/self/cgroup"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not Linux.
            return [];
        }

        return lines.Select(static line => line.Split(':', 3))
            .Where(parts => parts.Length == 3 && parts[2].StartsWith('/')
                && (isSecondVersion ? parts[0] == "0" : parts[1].Split(',').Contains("memory", StringComparer.Ordinal)))
            .Select(static parts => parts[2].TrimEnd('/'));
    }

    private static long? Read(string file)
    {
        try
        {
            return long.TryParse(File.ReadAllText(file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is > 0 and < Unlimited
                ? limit : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is no such control group.
            return null;
        }
    }
}
