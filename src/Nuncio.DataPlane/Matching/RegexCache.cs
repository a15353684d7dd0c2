using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Nuncio.DataPlane.Matching;

/// <summary>
/// Compiled expressions by their text, for as long as something uses them: compiling takes up to a millisecond, and one changed route has all routes of its
/// configuration bound again.
/// </summary>
internal static class RegexCache
{
    private const int FirstSweep = 256;

    private static readonly ConcurrentDictionary<string, WeakReference<Regex>> Known = new(StringComparer.Ordinal);
    private static int _nextSweep = FirstSweep;

    /// <summary>The expression, in .NET's syntax.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    /// <exception cref="NotSupportedException">It is larger than the engine takes.</exception>
    public static Regex Get(string pattern)
    {
        if (Known.TryGetValue(pattern, out var weak) && weak.TryGetTarget(out var known))
        {
            return known;
        }

        var regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        Known[pattern] = new WeakReference<Regex>(regex);
        if (Known.Count >= Volatile.Read(ref _nextSweep))
        {
            Sweep();
        }

        return regex;
    }

    private static void Sweep()
    {
        foreach (var entry in Known)
        {
            if (!entry.Value.TryGetTarget(out _))
            {
                Known.TryRemove(entry);
            }
        }

        Volatile.Write(ref _nextSweep, Math.Max(FirstSweep, Known.Count * 2));
    }
}
