using Nuncio.Resources;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;

namespace Nuncio.Sources.Files;

/// <summary>
/// Decides what of a file takes effect: a file that cannot be read keeps its last good content, and an object that became invalid keeps its last valid
/// form, as it would behind an API server that refuses the update. Either is said by a finding.
/// </summary>
internal static class LastGoodReading
{
    /// <summary>What takes effect.</summary>
    /// <param name="file">As findings call it.</param>
    /// <param name="text">What is in the file now.</param>
    /// <param name="now">What reading made of it.</param>
    /// <param name="lastGood">What took effect before; null for a new file.</param>
    /// <param name="findings">Gets what there is to say.</param>
    public static ManifestReading Choose(string file, string text, ManifestReading now, ManifestReading? lastGood, List<Finding> findings)
    {
        if (lastGood is null || lastGood.Resources.IsEmpty)
            return now;
        if (now.IsBroken)
        {
            findings.AddRange(now.Findings);
            findings.Add(Kept(file, "The file cannot be read as it is now: its last good content stays in effect"));
            return lastGood;
        }

        // Many programs write a file by emptying it first, and some take seconds to fill it.
        if (string.IsNullOrWhiteSpace(text))
        {
            findings.Add(Kept(file, "The file is empty now: its last good content stays in effect. Delete the file to remove what it held"));
            return lastGood;
        }

        return KeepObjects(file, now, lastGood, findings);
    }

    private static ManifestReading KeepObjects(string file, ManifestReading now, ManifestReading lastGood, List<Finding> findings)
    {
        if (now.Invalid.IsEmpty)
            return now;
        var before = new Dictionary<ResourceKey, Resource>();
        foreach (var resource in lastGood.Resources)
            before.TryAdd(resource.Key, resource);
        var kept = new List<Resource>();
        foreach (var invalid in now.Invalid)
        {
            if (!before.TryGetValue(invalid.Key, out var resource))
                continue;
            kept.Add(resource);
            findings.Add(Kept(file, $"{invalid.Key} is invalid as it is now: its last valid form stays in effect") with { Resource = invalid.Key });
        }

        return kept.Count == 0
            ? now
            : now with { Resources = now.Resources.AddRange(kept), Invalid = now.Invalid.RemoveAll(invalid => before.ContainsKey(invalid.Key)) };
    }

    private static Finding Kept(string file, string message) =>
        new(FindingCodes.LastGoodContentKept, FindingLevel.Error, message, null, "", new SourceLocation(file, 1, 1));
}
