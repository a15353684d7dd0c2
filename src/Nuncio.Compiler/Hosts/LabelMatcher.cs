using Nuncio.Resources.Collections;

namespace Nuncio.Compiler.Hosts;

/// <summary>The `matchLabels` of a selector, beside the labels of an object.</summary>
internal static class LabelMatcher
{
    /// <summary>Whether an object is selected. A selector without labels selects every one.</summary>
    /// <param name="selector">Labels and their values, compared with regard to case.</param>
    /// <param name="labels">The object's.</param>
    /// <param name="all">False: one label is enough, as with DISABLE_STRICT_LABEL_SELECTORS (SPEC 5.2).</param>
    public static bool Matches(ValueMap<string> selector, ValueMap<string> labels, bool all = true)
    {
        foreach (var (name, value) in selector)
        {
            var has = labels.TryGetValue(name, out var label) && string.Equals(label, value, StringComparison.Ordinal);
            if (has != all) return has;
        }
        return all || selector.Count == 0;
    }
}
