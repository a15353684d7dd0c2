using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>What a Mapping matches, read from its matching fields (SPEC 4.1, 5.5, 5.6).</summary>
internal sealed class MappingMatch
{
    private readonly MappingResource _resource;
    private readonly int _maxSize;
    private readonly FindingSink _findings;
    private readonly List<(string Name, string Value, bool Regex)> _headers = [];
    private readonly List<(string Name, string Value, bool Regex)> _query = [];

    private MappingMatch(MappingResource resource, int maxSize, FindingSink findings)
    {
        _resource = resource;
        _maxSize = maxSize;
        _findings = findings;
    }

    public PathKind Path { get; private set; }

    public string? HostGlob { get; private set; }

    public bool HostIsRegex { get; private set; }

    public ImmutableArray<RouteV3.HeaderMatcher> Headers { get; private set; } = [];

    public ImmutableArray<RouteV3.QueryParameterMatcher> QueryParameters { get; private set; } = [];

    public string GroupKey { get; private set; } = "";

    public RouteRank Rank { get; private set; } = null!;

    /// <summary>Null when it can match nothing, or nothing Envoy would take: the Mapping is then left out.</summary>
    public static MappingMatch? Read(MappingResource resource, int maxSize, FindingSink findings)
    {
        var match = new MappingMatch(resource, maxSize, findings);
        return match.Read() ? match : null;
    }

    private bool Read()
    {
        var spec = _resource.Spec;
        Path = spec.PrefixRegex == true ? PathKind.Regex : spec.PrefixExact == true ? PathKind.Exact : PathKind.Prefix;
        if (spec is { PrefixRegex: true, PrefixExact: true })
            _findings.Warning(_resource, FindingCodes.MutuallyExclusive, "spec.prefix_exact", "prefix_regex is set too and wins");
        if (Path == PathKind.Regex && !IsRegex(spec.Prefix, "spec.prefix"))
            return false;
        if (!ReadHeaders(spec) || !ReadHost(spec) || !ReadMethod(spec) || !ReadQuery(spec))
            return false;
        Headers = [.. _headers.Where(h => h is not (":authority", "*", false)).Select(HeaderMatcher)];
        QueryParameters = [.. _query.Select(QueryMatcher)];
        GroupKey = ComposeGroupKey(spec);
        Rank = ComposeRank(spec);
        return true;
    }

    private bool ReadHeaders(MappingSpec spec)
    {
        foreach (var (name, value) in spec.Headers ?? ValueMap<string>.Empty)
        {
            if (name.Equals(":authority", StringComparison.OrdinalIgnoreCase))
            {
                if (value.Contains('*', StringComparison.Ordinal))
                    return Refuse(FindingCodes.InvalidFieldValue, "spec.headers.:authority", $"'{value}' is compared exactly and holds *, which no host has");
                HostGlob = value;
                continue;
            }

            if (!HeaderRules.IsMatchable(name))
                return Refuse(FindingCodes.InvalidHeader, $"spec.headers.{name}", $"'{name}' is not a header's name");
            if (!HeaderRules.IsValue(value))
                return Refuse(FindingCodes.InvalidHeader, $"spec.headers.{name}", "the value holds control characters");
            _headers.Add((name, value, false));
        }

        foreach (var (name, value) in spec.RegexHeaders ?? ValueMap<string>.Empty)
        {
            if (!HeaderRules.IsMatchable(name))
                return Refuse(FindingCodes.InvalidHeader, $"spec.regex_headers.{name}", $"'{name}' is not a header's name");
            if (!IsRegex(value, $"spec.regex_headers.{name}"))
                return false;
            _headers.Add((name, value, true));
        }

        return true;
    }

    private bool ReadHost(MappingSpec spec)
    {
        if (spec.Host is { } host)
        {
            HostGlob = host;
            HostIsRegex = spec.HostRegex == true;
            // Even where hostname wins: Emissary refuses such a Mapping, and what its author meant cannot be told.
            if (!HostIsRegex && host.Contains('*', StringComparison.Ordinal))
                return Refuse(
                    FindingCodes.InvalidFieldValue, "spec.host", $"'{host}' is compared exactly and holds *, which no host has", "hostname takes a glob");
            if (spec.Hostname is not null)
                _findings.Warning(_resource, FindingCodes.MutuallyExclusive, "spec.host", "hostname is set too and wins");
            else if (HostIsRegex && host.Length > 0 && !IsRegex(host, "spec.host"))
                return false;
        }

        if (spec.Hostname is { } hostname)
        {
            HostGlob = hostname;
            HostIsRegex = false;
        }

        if (string.IsNullOrEmpty(HostGlob))
        {
            // A regular expression that is not there goes with every Host (SPEC 5.2).
            HostGlob = null;
            HostIsRegex = spec.HostRegex == true;
            return true;
        }

        if (!HeaderRules.IsValue(HostGlob))
            return Refuse(FindingCodes.InvalidHeader, "spec.hostname", "the host holds control characters");
        _headers.Add((":authority", HostGlob, HostIsRegex));
        if (HostIsRegex)
            HostGlob = null;
        return true;
    }

    private bool ReadMethod(MappingSpec spec)
    {
        if (spec.Method is not { } method)
            return true;
        if (spec.MethodRegex == true && !IsRegex(method, "spec.method"))
            return false;
        if (spec.MethodRegex != true && !HeaderRules.IsToken(method))
            return Refuse(FindingCodes.InvalidFieldValue, "spec.method", $"'{method}' is not a method");
        _headers.Add((":method", method, spec.MethodRegex == true));
        return true;
    }

    private bool ReadQuery(MappingSpec spec)
    {
        foreach (var (name, value) in spec.QueryParameters ?? ValueMap<string>.Empty)
        {
            if (name.Length == 0)
                return Refuse(FindingCodes.InvalidFieldValue, "spec.query_parameters", "a query parameter has no name");
            _query.Add((name, value, false));
        }

        foreach (var (name, value) in spec.RegexQueryParameters ?? ValueMap<string>.Empty)
        {
            if (name.Length == 0)
                return Refuse(FindingCodes.InvalidFieldValue, "spec.regex_query_parameters", "a query parameter has no name");
            if (!IsRegex(value, $"spec.regex_query_parameters.{name}"))
                return false;
            _query.Add((name, value, true));
        }

        return true;
    }

    private RouteV3.HeaderMatcher HeaderMatcher((string Name, string Value, bool Regex) header)
    {
        var matcher = new RouteV3.HeaderMatcher { Name = header.Name };
        if (header is { Regex: true, Value: ".*" })
            matcher.PresentMatch = true;
        else
            matcher.StringMatch = header.Name == ":authority" && !header.Regex ? HostMatcher(header.Value) : StringMatcher(header);
        return matcher;
    }

    private RouteV3.QueryParameterMatcher QueryMatcher((string Name, string Value, bool Regex) parameter)
    {
        var matcher = new RouteV3.QueryParameterMatcher { Name = parameter.Name };
        if (parameter is { Regex: true, Value: ".*" })
            matcher.PresentMatch = true;
        else
            matcher.StringMatch = StringMatcher(parameter);
        return matcher;
    }

    /// <summary>A glob has its star at one end (SPEC 5.4).</summary>
    private static MatcherV3.StringMatcher HostMatcher(string glob) =>
        glob.StartsWith('*') ? new MatcherV3.StringMatcher { Suffix = glob[1..] }
        : glob.EndsWith('*') ? new MatcherV3.StringMatcher { Prefix = glob[..^1] }
        : new MatcherV3.StringMatcher { Exact = glob };

    private MatcherV3.StringMatcher StringMatcher((string Name, string Value, bool Regex) matcher) =>
        matcher.Regex
            ? new MatcherV3.StringMatcher { SafeRegex = RegexRules.Matcher(matcher.Value, _maxSize) }
            : new MatcherV3.StringMatcher { Exact = matcher.Value };

    /// <summary>
    /// The parts are kept apart, and kinds of paths and matchers too: Emissary runs them together, so that unrelated Mappings meet in one group and
    /// all but the first are refused.
    /// </summary>
    private string ComposeGroupKey(MappingSpec spec)
    {
        var key = new System.Text.StringBuilder(128);
        key.Append((int)Path).Append('\0').Append(spec.Prefix).Append('\0').Append(spec.Precedence ?? 0);
        foreach (var (name, value, regex) in _headers)
            key.Append('\0').Append(regex ? '~' : '=').Append(name).Append('\0').Append(value);
        key.Append("\0?");
        foreach (var (name, value, regex) in _query)
            key.Append('\0').Append(regex ? '~' : '=').Append(name).Append('\0').Append(value);
        return key.ToString();
    }

    private RouteRank ComposeRank(MappingSpec spec)
    {
        var texts = ImmutableArray.CreateBuilder<string>(2 + _headers.Count + _query.Count);
        texts.Add(spec.Prefix);
        texts.Add(spec.Method ?? "GET");
        foreach (var header in _headers)
            texts.Add(Key(header));
        foreach (var parameter in _query)
            texts.Add(Key(parameter));
        return new RouteRank(spec.Precedence ?? 0, spec.Prefix.Length, _headers.Sum(Length), _query.Sum(Length), texts.MoveToImmutable(), Path);

        static string Key((string Name, string Value, bool Regex) matcher) => $"{matcher.Name}-{Shown(matcher.Value)}";

        static int Length((string Name, string Value, bool Regex) matcher) => matcher.Name.Length + Shown(matcher.Value).Length + (matcher.Regex ? 1 : 0);

        static string Shown(string value) => value.Length == 0 ? "*" : value;
    }

    private bool IsRegex(string pattern, string field) =>
        RegexRules.Problem(pattern, _maxSize) is not { } problem || Refuse(FindingCodes.InvalidRegex, field, problem);

    private bool Refuse(string code, string field, string message, string? suggestion = null)
    {
        _findings.Error(_resource, code, field, message + "; the Mapping is left out", suggestion);
        return false;
    }
}
