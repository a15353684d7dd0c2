namespace Nuncio.Resources.Reading;

/// <summary>Finds the known name that a mistyped one was probably meant to be.</summary>
public static class NameSuggestion
{
    /// <summary>The nearest of the known names by edit distance (a swap of neighbours counts one), or null when none is near.</summary>
    public static string? For(string name, IEnumerable<string> known)
    {
        if (name.Length is 0 or > 100)
            return null;
        string? best = null;
        var bestDistance = (Math.Max(name.Length, 3) / 3) + 1;
        var folded = Fold(name);
        foreach (var candidate in known)
        {
            // hostName, host-name and host_name are one name to a person.
            var distance = string.Equals(folded, Fold(candidate), StringComparison.Ordinal) ? 0 : Distance(name, candidate, bestDistance);
            if (distance >= bestDistance)
                continue;
            best = candidate;
            bestDistance = distance;
        }

        return best;
    }

    private static string Fold(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();

    private static int Distance(string a, string b, int limit)
    {
        if (Math.Abs(a.Length - b.Length) >= limit)
            return limit;
        var beforePrevious = new int[b.Length + 1];
        var previous = new int[b.Length + 1];
        var current = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
            previous[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    current[j] = Math.Min(current[j], beforePrevious[j - 2] + 1);
            }

            (beforePrevious, previous, current) = (previous, current, beforePrevious);
        }

        return previous[b.Length];
    }
}
