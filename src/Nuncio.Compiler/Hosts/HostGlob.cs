namespace Nuncio.Compiler.Hosts;

/// <summary>Host globs: a name, <c>*</c>, <c>*suffix</c> or <c>prefix*</c> (SPEC 5.2).</summary>
internal static class HostGlob
{
    /// <summary>Whether there can be a host name that both match. <c>*</c> at an end stands for at least one character.</summary>
    public static bool AreCompatible(string first, string second)
    {
        if (string.Equals(first, second, StringComparison.OrdinalIgnoreCase)) return true;
        if (first.Length == 0 || second.Length == 0) return false;
        if (first == "*" || second == "*") return true;
        if (first[0] == '.' || second[0] == '.') return false;

        bool firstLeads = first[0] == '*', firstTrails = first[^1] == '*', secondLeads = second[0] == '*', secondTrails = second[^1] == '*';
        if ((firstLeads && firstTrails) || (secondLeads && secondTrails)) return false;
        if (!(firstLeads || firstTrails || secondLeads || secondTrails)) return false;
        if ((firstLeads && secondTrails) || (secondLeads && firstTrails)) return true;
        if (firstLeads) return secondLeads ? BothLead(first, second) : LeadMatches(first, second);
        if (secondLeads) return LeadMatches(second, first);
        if (firstTrails) return secondTrails ? BothTrail(first, second) : TrailMatches(first, second);
        return TrailMatches(second, first);
    }

    /// <summary>Whether a glob matches a host name that holds no wildcard.</summary>
    public static bool Matches(string glob, string name)
    {
        if (glob == "*") return true;
        if (glob.Length > 1 && glob[0] == '*') return LeadMatches(glob, name);
        if (glob.Length > 1 && glob[^1] == '*') return TrailMatches(glob, name);
        return string.Equals(glob, name, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether every name that the narrow glob matches is matched by the wide one.</summary>
    public static bool Covers(string wide, string narrow)
    {
        if (wide == "*" || string.Equals(wide, narrow, StringComparison.OrdinalIgnoreCase)) return true;
        if (narrow.Contains('*', StringComparison.Ordinal))
        {
            return wide.Length > 1 && wide[0] == '*' && narrow[0] == '*' && narrow.Length > wide.Length
                && narrow.AsSpan(1).EndsWith(wide.AsSpan(1), StringComparison.OrdinalIgnoreCase);
        }
        return Matches(wide, narrow);
    }

    private static bool LeadMatches(string glob, string name) =>
        name.Length >= glob.Length && name.AsSpan().EndsWith(glob.AsSpan(1), StringComparison.OrdinalIgnoreCase);

    private static bool TrailMatches(string glob, string name) =>
        name.Length >= glob.Length && name.AsSpan().StartsWith(glob.AsSpan(0, glob.Length - 1), StringComparison.OrdinalIgnoreCase);

    private static bool BothLead(string first, string second)
    {
        var (longer, shorter) = first.Length > second.Length ? (first, second) : (second, first);
        return longer.AsSpan(1).EndsWith(shorter.AsSpan(1), StringComparison.OrdinalIgnoreCase);
    }

    private static bool BothTrail(string first, string second)
    {
        var (longer, shorter) = first.Length > second.Length ? (first, second) : (second, first);
        return longer.AsSpan().StartsWith(shorter.AsSpan(0, shorter.Length - 1), StringComparison.OrdinalIgnoreCase);
    }
}
