namespace Nuncio.Compiler.Validation;

/// <summary>Reads <c>{pattern, substitution}</c>.</summary>
internal static class RegexSubstitutions
{
    /// <summary>Null when it cannot be used, which gives a finding.</summary>
    public static MatcherV3.RegexMatchAndSubstitute? Read(Resource? owner, string field, RegexSubstitution config, int maxSize, FindingSink findings)
    {
        var pattern = config.Pattern ?? "";
        if (RegexRules.Problem(pattern, maxSize) is { } problem)
        {
            findings.Error(owner, FindingCodes.InvalidRegex, field + ".pattern", $"{problem}; it is ignored");
            return null;
        }

        var substitution = config.Substitution ?? "";
        if (SubstitutionProblem(substitution) is { } wrong)
        {
            findings.Error(owner, FindingCodes.InvalidRegex, field + ".substitution", $"{wrong}; it is ignored");
            return null;
        }

        Re2Syntax.Check(pattern, out _, out var groups);
        if (HighestGroup(substitution) is var named && named > groups)
        {
            findings.Error(owner, FindingCodes.InvalidRegex, field + ".substitution", $"it names group {named} of {groups}, so that nothing is replaced");
            // What RE2 makes of such a substitution. A proxy that checks it would refuse all routes for this one.
            substitution = "\\0";
        }

        return new MatcherV3.RegexMatchAndSubstitute { Pattern = RegexRules.Matcher(pattern, maxSize), Substitution = substitution };
    }

    private static int HighestGroup(string substitution)
    {
        var highest = 0;
        for (var i = 0; i + 1 < substitution.Length; i++)
        {
            if (substitution[i] == '\\' && char.IsAsciiDigit(substitution[++i]))
                highest = Math.Max(highest, substitution[i] - '0');
        }

        return highest;
    }

    /// <summary>RE2: a backslash is followed by a digit or another backslash.</summary>
    private static string? SubstitutionProblem(string text)
    {
        if (!HeaderRules.IsValue(text))
            return "the substitution holds control characters";
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
                continue;
            i++;
            if (i >= text.Length || (!char.IsAsciiDigit(text[i]) && text[i] != '\\'))
                return "a backslash in the substitution must be followed by a digit or a backslash";
        }

        return null;
    }
}
