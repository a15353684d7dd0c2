namespace Nuncio.Compiler.Validation;

/// <summary>Which regular expressions Envoy takes: RE2 syntax, and a program that is not too large.</summary>
internal static class RegexRules
{
    /// <summary>Why the pattern cannot be used; null when it can.</summary>
    /// <param name="pattern">What the user wrote.</param>
    /// <param name="maxSize">The largest program, in RE2's instructions.</param>
    public static string? Problem(string pattern, int maxSize)
    {
        if (pattern.Length == 0)
            return "the regular expression is empty";
        if (Re2Syntax.Check(pattern, out var size) is { } problem)
            return $"RE2 does not take the regular expression '{pattern}': {problem}";
        return size > maxSize
            ? $"the regular expression '{pattern}' needs a program of about {size} instructions; {maxSize} are allowed (regex_max_size)" : null;
    }

    /// <summary>The message for a pattern that was checked.</summary>
    public static MatcherV3.RegexMatcher Matcher(string pattern, int maxSize) => new()
    {
        Regex = pattern,
        GoogleRe2 = new MatcherV3.RegexMatcher.Types.GoogleRE2 { MaxProgramSize = (uint)maxSize },
    };
}
