using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Resolving;

namespace Nuncio.Compiler.Validation;

/// <summary>Settings of clusters that Envoy would refuse: each gives a finding and is left out.</summary>
internal static class ClusterRules
{
    /// <summary>The longest duration that is taken: about 100 years, well within a protobuf duration.</summary>
    public const long LongestMs = 100L * 365 * 24 * 3600 * 1000;

    /// <summary>Keep-alive numbers are seconds or counts and unsigned.</summary>
    public static KeepaliveConfig Keepalive(Resource? owner, string field, KeepaliveConfig config, FindingSink findings)
    {
        return new KeepaliveConfig
        {
            Probes = Unsigned(config.Probes, "probes"),
            IdleTime = Unsigned(config.IdleTime, "idle_time"),
            Interval = Unsigned(config.Interval, "interval"),
        };

        long? Unsigned(long? value, string name)
        {
            if (value is null or (>= 0 and <= int.MaxValue))
                return value;
            findings.Error(owner, FindingCodes.InvalidFieldValue, $"{field}.{name}", $"{value} is not between 0 and {int.MaxValue}; it is ignored");
            return null;
        }
    }

    /// <summary>The health checks that can be used; null when there are none. They need endpoints (SPEC 8.6).</summary>
    public static ValueList<HealthCheckConfig>? HealthChecks(UpstreamSpec spec, UpstreamDiscovery discovery, FindingSink findings)
    {
        if (spec.HealthChecks is not { Count: > 0 } checks)
            return null;
        if (discovery is UpstreamDiscovery.StrictDns or UpstreamDiscovery.LogicalDns)
        {
            findings.Error(
                spec.Owner, FindingCodes.NotSupported, spec.FieldPrefix + "health_checks", "health checks need an endpoint resolver; they are ignored");
            return null;
        }

        var good = new List<HealthCheckConfig>();
        for (var i = 0; i < checks.Count; i++)
        {
            var field = $"{spec.FieldPrefix}health_checks[{i}]";
            if (good.Count > 0)
                findings.Error(spec.Owner, FindingCodes.NotSupported, field, "Envoy takes one health check for each cluster; this one is ignored");
            else if (HealthCheck(spec, checks[i], field, findings) is { } check)
                good.Add(check);
        }

        return good.Count == 0 ? null : good.ToValueList();
    }

    private static HealthCheckConfig? HealthCheck(UpstreamSpec spec, HealthCheckConfig check, string field, FindingSink findings)
    {
        if (check.Grpc is not null && !spec.Grpc)
            return Refuse(".health_check.grpc", "it needs an upstream that speaks HTTP/2 (grpc: true)");
        if (check.Http is { Path: var path } && (!path.StartsWith('/') || !HeaderRules.IsValue(path)))
            return Refuse(".health_check.http.path", "the path does not begin with a slash or holds control characters");
        if (check.Http is { ExpectedStatuses: { } statuses })
        {
            foreach (var range in statuses)
                if (range.Min < 100 || range.Max > 599 || range.Min > range.Max)
                    return Refuse(".health_check.http.expected_statuses", $"{range.Min} to {range.Max} is not a range of status codes");
        }

        if (check.Http is { } http)
        {
            foreach (var (name, value) in http.AddRequestHeaders ?? ValueMap<AddedHeader>.Empty)
                if (!HeaderRules.IsModifiable(name) || FormatRules.Problem(value.Value ?? "") is not null)
                    return Refuse(".health_check.http.add_request_headers", $"'{name}' cannot be added");
            foreach (var name in http.RemoveRequestHeaders ?? ValueList<string>.Empty)
                if (!HeaderRules.IsModifiable(name))
                    return Refuse(".health_check.http.remove_request_headers", $"'{name}' cannot be removed");
        }

        return check with
        {
            Timeout = Duration(check.Timeout, "timeout", "3s"),
            Interval = Duration(check.Interval, "interval", "5s"),
            HealthyThreshold = Count(check.HealthyThreshold, "healthy_threshold", 1),
            UnhealthyThreshold = Count(check.UnhealthyThreshold, "unhealthy_threshold", 2),
        };

        HealthCheckConfig? Refuse(string at, string why)
        {
            findings.Error(spec.Owner, FindingCodes.InvalidFieldValue, field + at, $"{why}; this health check is ignored");
            return null;
        }

        string Duration(string? text, string name, string fallback)
        {
            if (text is null)
                return fallback;
            if (GoDuration.TryParse(text, out var duration) && duration >= TimeSpan.FromMilliseconds(1) && duration.TotalMilliseconds < LongestMs)
                return text;
            findings.Error(spec.Owner, FindingCodes.InvalidFieldValue, $"{field}.{name}", $"'{text}' is not a duration above 0; {fallback} is used");
            return fallback;
        }

        long Count(long? value, string name, long fallback)
        {
            if (value is null)
                return fallback;
            if (value is >= 0 and <= int.MaxValue)
                return value.Value;
            findings.Error(spec.Owner, FindingCodes.InvalidFieldValue, $"{field}.{name}", $"{value} is negative or too large; {fallback} is used");
            return fallback;
        }
    }
}
