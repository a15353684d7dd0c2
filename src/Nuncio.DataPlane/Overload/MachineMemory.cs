using System.Globalization;

namespace Nuncio.DataPlane.Overload;

/// <summary>What Linux has in all.</summary>
internal static class MachineMemory
{
    private const string Name = "MemTotal:";
    private const string Unit = "kB";

    /// <summary>Memory in bytes; null where the system does not say.</summary>
    /// <param name="root">Where <c>proc</c> is.</param>
    public static long? Total(string root)
    {
        try
        {
            foreach (var line in File.ReadLines(Path.Combine(root, "proc/meminfo")))
            {
                if (line.StartsWith(Name, StringComparison.Ordinal) && line.EndsWith(Unit, StringComparison.Ordinal))
                {
                    var number = line.AsSpan()[Name.Length..^Unit.Length].Trim();
                    return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes)
                        && kibibytes is > 0 and < long.MaxValue / 1024 ? kibibytes * 1024 : null;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not Linux.
        }

        return null;
    }
}
