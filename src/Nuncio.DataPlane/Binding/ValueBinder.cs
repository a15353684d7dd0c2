using System.Text;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the small messages that routes and connection managers are made of.</summary>
internal static class ValueBinder
{
    // .NET has no timer beyond 2^32 ms; nobody waits for a month and a half.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(45);

    /// <summary>A duration that is not negative; null where unset or (with an error) bad.</summary>
    public static TimeSpan? Duration(Duration? message, string path, BindErrors errors)
    {
        if (message is null)
        {
            return null;
        }

        var duration = TimerOf(message);
        if (duration is null)
        {
            errors.Add(path, "The duration is negative or out of range.");
        }

        return duration;
    }

    /// <summary>A duration that was found right before, as a timer can wait for it; null where it is out of range, or unset.</summary>
    public static TimeSpan? TimerOf(Duration? message) => Age(message) is { } duration ? (duration < LongestTimer ? duration : LongestTimer) : null;

    /// <summary>A duration that is only told to others, however long; null where it is out of range, or unset.</summary>
    public static TimeSpan? Age(Duration? message) =>
        message is null || message.Seconds < 0 || message.Nanos is < 0 or > 999_999_999 || message.Seconds > 315_576_000_000
            ? null : TimeSpan.FromTicks((message.Seconds * TimeSpan.TicksPerSecond) + (message.Nanos / 100));

    /// <summary>Text that may stand in a header: it has no line break and no NUL.</summary>
    public static bool IsHeaderValue(string text) => text.AsSpan().IndexOfAny('\r', '\n', '\0') < 0;

    /// <summary>The options as they are; an error for durations in them that are none.</summary>
    public static CoreV3.Http2ProtocolOptions? Http2(CoreV3.Http2ProtocolOptions? options, string path, BindErrors errors)
    {
        Duration(options?.ConnectionKeepalive?.Interval, path + ".connection_keepalive.interval", errors);
        Duration(options?.ConnectionKeepalive?.Timeout, path + ".connection_keepalive.timeout", errors);
        return options;
    }

    /// <summary>A fraction; all requests where unset.</summary>
    public static RuntimeFraction Fraction(CoreV3.RuntimeFractionalPercent? message) =>
        message is null ? RuntimeFraction.Always : Fraction(message.DefaultValue);

    /// <summary>A fraction; none where the default is unset, as in Envoy.</summary>
    public static RuntimeFraction Fraction(Envoy.Type.V3.FractionalPercent? percent) => new(percent?.Numerator ?? 0, percent?.Denominator switch
    {
        Envoy.Type.V3.FractionalPercent.Types.DenominatorType.TenThousand => 10_000,
        Envoy.Type.V3.FractionalPercent.Types.DenominatorType.Million => 1_000_000,
        _ => 100,
    });

    /// <summary>A regular expression that must match the whole; null with an error.</summary>
    public static RegexPattern? Regex(MatcherV3.RegexMatcher? message, string path, BindErrors errors)
    {
        var pattern = RegexPattern.TryCreate(message?.Regex ?? "", out var error);
        if (pattern is null)
        {
            errors.Add(BindErrors.Path(path, "regex"), $"The regular expression is not valid: {error}.");
        }

        return pattern;
    }

    /// <summary>A replacement; null with an error, or where unset.</summary>
    public static RegexRewrite? Rewrite(MatcherV3.RegexMatchAndSubstitute? message, string path, BindErrors errors)
    {
        if (message is null)
        {
            return null;
        }

        if (!IsHeaderValue(message.Substitution))
        {
            errors.Add(path, "A substitution cannot have a line break or NUL.");
            return null;
        }

        var rewrite = RegexRewrite.TryCreate(message.Pattern?.Regex ?? "", message.Substitution, out var error);
        if (rewrite is null)
        {
            errors.Add(path, $"The rewrite is not valid: {error}.");
        }

        return rewrite;
    }

    /// <summary>A string matcher; null with an error.</summary>
    public static StringMatcher? String(MatcherV3.StringMatcher? message, string path, BindErrors errors)
    {
        switch (message?.MatchPatternCase)
        {
            case MatcherV3.StringMatcher.MatchPatternOneofCase.Exact:
                return new StringMatcher(StringMatchKind.Exact, message.Exact, message.IgnoreCase);
            case MatcherV3.StringMatcher.MatchPatternOneofCase.Prefix when message.Prefix.Length > 0:
                return new StringMatcher(StringMatchKind.Prefix, message.Prefix, message.IgnoreCase);
            case MatcherV3.StringMatcher.MatchPatternOneofCase.Suffix when message.Suffix.Length > 0:
                return new StringMatcher(StringMatchKind.Suffix, message.Suffix, message.IgnoreCase);
            case MatcherV3.StringMatcher.MatchPatternOneofCase.Contains when message.Contains.Length > 0:
                return new StringMatcher(StringMatchKind.Contains, message.Contains, message.IgnoreCase);
            case MatcherV3.StringMatcher.MatchPatternOneofCase.SafeRegex:
                if (message.IgnoreCase)
                {
                    errors.Add(BindErrors.Path(path, "ignore_case"), "ignore_case has no effect for safe_regex.");
                    return null;
                }

                return Regex(message.SafeRegex, BindErrors.Path(path, "safe_regex"), errors) is { } regex ? new StringMatcher(regex) : null;
            default:
                errors.Add(path, "A string matcher needs a pattern that is not empty.");
                return null;
        }
    }

    /// <summary>A header matcher; null with an error.</summary>
    public static HeaderMatcher? Header(RouteV3.HeaderMatcher? message, string path, BindErrors errors)
    {
        if (message is null || message.Name.Length == 0)
        {
            errors.Add(BindErrors.Path(path, "name"), "A header matcher needs the name of a header.");
            return null;
        }

        var (name, invert, empty) = (message.Name, message.InvertMatch, message.TreatMissingHeaderAsEmpty);
        StringMatcher? value;
        switch (message.HeaderMatchSpecifierCase)
        {
            case RouteV3.HeaderMatcher.HeaderMatchSpecifierOneofCase.ExactMatch:
                value = new StringMatcher(StringMatchKind.Exact, message.ExactMatch, ignoreCase: false);
                break;
            case RouteV3.HeaderMatcher.HeaderMatchSpecifierOneofCase.PrefixMatch:
                value = new StringMatcher(StringMatchKind.Prefix, message.PrefixMatch, ignoreCase: false);
                break;
            case RouteV3.HeaderMatcher.HeaderMatchSpecifierOneofCase.SuffixMatch:
                value = new StringMatcher(StringMatchKind.Suffix, message.SuffixMatch, ignoreCase: false);
                break;
            case RouteV3.HeaderMatcher.HeaderMatchSpecifierOneofCase.ContainsMatch:
                value = new StringMatcher(StringMatchKind.Contains, message.ContainsMatch, ignoreCase: false);
                break;
            case RouteV3.HeaderMatcher.HeaderMatchSpecifierOneofCase.SafeRegexMatch:
                value = Regex(message.SafeRegexMatch, BindErrors.Path(path, "safe_regex_match"), errors) is { } regex ? new StringMatcher(regex) : null;
                break;
            case RouteV3.HeaderMatcher.HeaderMatchSpecifierOneofCase.StringMatch:
                value = String(message.StringMatch, BindErrors.Path(path, "string_match"), errors);
                break;
            case RouteV3.HeaderMatcher.HeaderMatchSpecifierOneofCase.RangeMatch:
                return HeaderMatcher.InRange(name, message.RangeMatch.Start, message.RangeMatch.End, invert, empty);
            case RouteV3.HeaderMatcher.HeaderMatchSpecifierOneofCase.PresentMatch:
                return HeaderMatcher.IsPresent(name, message.PresentMatch, invert, empty);
            default:
                return HeaderMatcher.IsPresent(name, present: true, invert, empty);
        }

        return value is null ? null : new HeaderMatcher(name, value, invert, empty);
    }

    /// <summary>All header matchers.</summary>
    public static HeaderMatcher[] Headers(IReadOnlyList<RouteV3.HeaderMatcher> messages, string path, string field, BindErrors errors)
    {
        if (messages.Count == 0)
        {
            return [];
        }

        var matchers = new List<HeaderMatcher>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            if (Header(messages[i], BindErrors.Path(path, field, i), errors) is { } matcher)
            {
                matchers.Add(matcher);
            }
        }

        return [.. matchers];
    }

    /// <summary>Header changes.</summary>
    public static HeaderMutationsModel Mutations(
        IReadOnlyList<CoreV3.HeaderValueOption> add, IReadOnlyList<string> remove, string path, string addField, string removeField, BindErrors errors)
    {
        if (add.Count == 0 && remove.Count == 0)
        {
            return HeaderMutationsModel.None;
        }

        var removals = new List<byte[]>(remove.Count);
        for (var i = 0; i < remove.Count; i++)
        {
            if (IsModifiable(remove[i], BindErrors.Path(path, removeField, i), errors))
            {
                removals.Add(Encoding.ASCII.GetBytes(remove[i].ToLowerInvariant()));
            }
        }

        var mutations = new List<HeaderMutation>(add.Count);
        for (var i = 0; i < add.Count; i++)
        {
            if (Mutation(add[i], BindErrors.Path(path, addField, i), errors) is { } mutation)
            {
                mutations.Add(mutation);
            }
        }

        return new HeaderMutationsModel { Remove = removals, Add = mutations };
    }

    /// <summary>A format of a header's value or a body; null with an error.</summary>
    /// <param name="text">The format.</param>
    /// <param name="omitEmpty">A value that a request does not have is nothing instead of <c>-</c>.</param>
    /// <param name="path">Of the field.</param>
    /// <param name="errors">Gets why it cannot be used.</param>
    /// <param name="absent">Gets the operators that Envoy has and we do not, which are then without a value; null: they are an error.</param>
    public static SubstitutionFormat? Format(string text, bool omitEmpty, string path, BindErrors errors, ISet<string>? absent = null)
    {
        var format = SubstitutionFormat.TryParse(text, omitEmpty, out var error, absent);
        if (format is null)
        {
            errors.Add(path, $"The format is not valid: {error}.");
        }

        return format;
    }

    /// <summary>A format string message; null with an error, or where unset.</summary>
    /// <param name="message">The message.</param>
    /// <param name="path">Of the field.</param>
    /// <param name="errors">Gets why it cannot be used.</param>
    /// <param name="absent">Gets the operators that Envoy has and we do not, which are then without a value; null: they are an error.</param>
    public static SubstitutionFormat? Format(CoreV3.SubstitutionFormatString? message, string path, BindErrors errors, ISet<string>? absent = null)
    {
        if (message is null)
        {
            return null;
        }

        if (message.Formatters.Count > 0)
        {
            errors.Add(BindErrors.Path(path, "formatters"), "Formatter extensions are not supported by the embedded proxy.");
        }

        switch (message.FormatCase)
        {
            case CoreV3.SubstitutionFormatString.FormatOneofCase.TextFormat:
                return Format(message.TextFormat, message.OmitEmptyValues, BindErrors.Path(path, "text_format"), errors, absent);
            case CoreV3.SubstitutionFormatString.FormatOneofCase.TextFormatSource:
                var field = BindErrors.Path(path, "text_format_source");
                return Data(message.TextFormatSource, field, errors) is { } data
                    ? Format(Encoding.UTF8.GetString(data), message.OmitEmptyValues, field, errors, absent) : null;
            case CoreV3.SubstitutionFormatString.FormatOneofCase.JsonFormat:
                var json = JsonFormat.TryCreate(
                    message.JsonFormat, message.OmitEmptyValues, message.JsonFormatOptions?.SortProperties ?? false, out var error, absent);
                if (json is null)
                {
                    errors.Add(BindErrors.Path(path, "json_format"), $"The format is not valid: {error}.");
                }

                return json;
            default:
                errors.Add(path, "A format is needed.");
                return null;
        }
    }

    /// <summary>The bytes of a data source; null with an error.</summary>
    public static byte[]? Data(CoreV3.DataSource? source, string path, BindErrors errors)
    {
        switch (source?.SpecifierCase)
        {
            case CoreV3.DataSource.SpecifierOneofCase.InlineBytes:
                return source.InlineBytes.ToByteArray();
            case CoreV3.DataSource.SpecifierOneofCase.InlineString:
                return Encoding.UTF8.GetBytes(source.InlineString);
            case CoreV3.DataSource.SpecifierOneofCase.EnvironmentVariable when Environment.GetEnvironmentVariable(source.EnvironmentVariable) is { } value:
                return Encoding.UTF8.GetBytes(value);
            case CoreV3.DataSource.SpecifierOneofCase.Filename:
                try
                {
                    return File.ReadAllBytes(source.Filename);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
                {
                    errors.Add(BindErrors.Path(path, "filename"), $"The file cannot be read: {e.Message}");
                    return null;
                }

            default:
                errors.Add(path, "The data source is empty.");
                return null;
        }
    }

    /// <summary>A lower-case header name as bytes; null where unset.</summary>
    public static byte[]? HeaderName(string name) =>
        name.Length == 0 ? null : Encoding.ASCII.GetBytes(name.Equals("host", StringComparison.OrdinalIgnoreCase) ? ":authority" : name.ToLowerInvariant());

    private static HeaderMutation? Mutation(CoreV3.HeaderValueOption option, string path, BindErrors errors)
    {
        var key = option.Header?.Key ?? "";
        if (!IsModifiable(key, BindErrors.Path(path, "header.key"), errors))
        {
            return null;
        }

        var text = option.Header!.Value;
        var valuePath = BindErrors.Path(path, "header.value");
        if (option.Header.RawValue.Length > 0)
        {
            text = option.Header.RawValue.ToStringUtf8();
        }

        if (!IsHeaderValue(text))
        {
            errors.Add(valuePath, "A header's value cannot have a line break or NUL.");
            return null;
        }

        if (Format(text, omitEmpty: true, valuePath, errors) is not { } format)
        {
            return null;
        }

        var name = Encoding.ASCII.GetBytes(key.ToLowerInvariant());
        return new HeaderMutation
        {
            Name = name,
            Known = KnownHeaders.Find(name),
            Value = format,
            Action = option.Append switch
            {
                null => option.AppendAction,
                true => CoreV3.HeaderValueOption.Types.HeaderAppendAction.AppendIfExistsOrAdd,
                false => CoreV3.HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd,
            },
            KeepEmptyValue = option.KeepEmptyValue,
        };
    }

    private static bool IsModifiable(string name, string path, BindErrors errors)
    {
        if (name.Length == 0 || name[0] == ':' || name.Equals("host", StringComparison.OrdinalIgnoreCase))
        {
            errors.Add(path, name.Length == 0 ? "A header needs a name." : ":-prefixed and host headers may not be changed.");
            return false;
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))
            {
                errors.Add(path, "This is not a header's name.");
                return false;
            }
        }

        return true;
    }
}
