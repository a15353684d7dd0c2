using Nuncio.Resources.Collections;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading.Kinds;

/// <summary>Reads the parts that several kinds share.</summary>
internal static class TrafficReader
{
    public static LoadBalancerConfig? LoadBalancer(ObjectReader r)
    {
        var policy = r.RequiredChoice<LoadBalancerPolicy>(
            "policy",
            [
                ("round_robin", LoadBalancerPolicy.RoundRobin), ("ring_hash", LoadBalancerPolicy.RingHash),
                ("maglev", LoadBalancerPolicy.Maglev), ("least_request", LoadBalancerPolicy.LeastRequest),
            ]);
        return new LoadBalancerConfig
        {
            Policy = policy,
            Cookie = r.Object("cookie", static c => new LoadBalancerCookie(c.RequiredText("name"), c.Text("path"), c.Text("ttl"))),
            Header = r.Text("header"),
            SourceIp = r.Boolean("source_ip"),
        };
    }

    public static CircuitBreakerConfig CircuitBreaker(ObjectReader r) => new()
    {
        Priority = r.TextOf("priority", "default", "high"),
        MaxConnections = r.Integer("max_connections"),
        MaxPendingRequests = r.Integer("max_pending_requests"),
        MaxRequests = r.Integer("max_requests"),
        MaxRetries = r.Integer("max_retries"),
    };

    public static KeepaliveConfig Keepalive(ObjectReader r)
    {
        var time = r.Integer("time");
        var idleTime = r.Integer("idle_time");
        return new KeepaliveConfig { Probes = r.Integer("probes"), IdleTime = time ?? idleTime, Interval = r.Integer("interval") };
    }

    public static CorsConfig Cors(ObjectReader r)
    {
        r.Ignore("v2CommaSeparatedOrigins");
        return new CorsConfig
        {
            Origins = r.TextList("origins"),
            Methods = r.TextList("methods"),
            Headers = r.TextList("headers"),
            ExposedHeaders = r.TextList("exposed_headers"),
            Credentials = r.Boolean("credentials"),
            MaxAge = r.Text("max_age"),
        };
    }

    public static RetryPolicyConfig RetryPolicy(ObjectReader r) => new()
    {
        RetryOn = r.TextOf(
            "retry_on", "5xx", "gateway-error", "connect-failure", "retriable-4xx", "refused-stream", "retriable-status-codes"),
        NumRetries = r.Integer("num_retries"),
        PerTryTimeout = r.Text("per_try_timeout"),
    };

    public static RegexSubstitution RegexSubstitution(ObjectReader r) => new(r.Text("pattern"), r.Text("substitution"));

    public static AddedHeader AddedHeader(ObjectReader r)
    {
        r.Ignore("v2Representation");
        return new AddedHeader(r.Text("value"), r.Boolean("append"));
    }

    public static HealthCheckConfig? HealthCheck(ObjectReader r)
    {
        HttpHealthCheck? http = null;
        GrpcHealthCheck? grpc = null;
        var check = r.RequiredObject("health_check", c =>
        {
            http = c.Object("http", HttpHealthCheck);
            grpc = c.Object("grpc", static g => new GrpcHealthCheck(g.RequiredText("upstream_name"), g.Text("authority")));
            return c;
        });
        if (check is not null && http is null == grpc is null)
            r.Report(FindingCodes.ValueNotAllowed, check.Map, "health_check", "must have exactly one of http and grpc");
        return new HealthCheckConfig
        {
            Timeout = r.Text("timeout"),
            Interval = r.Text("interval"),
            UnhealthyThreshold = r.Integer("unhealthy_threshold"),
            HealthyThreshold = r.Integer("healthy_threshold"),
            Http = http,
            Grpc = grpc,
        };
    }

    /// <summary>Domain to groups of specifiers.</summary>
    public static ValueList<LabelGroup>? LabelGroups(ObjectReader owner, Node node, string path) =>
        owner.ToList(node, path, static (reader, item, itemPath) =>
        {
            if (item is not MapNode map)
            {
                reader.WrongType(item, itemPath, "an object with one name");
                return null;
            }

            if (map.Entries is not [var group])
            {
                reader.Report(FindingCodes.ValueOutOfRange, item, itemPath, "must have exactly one name");
                return null;
            }

            var specifiers = reader.ToList(group.Value, FieldPath.Join(itemPath, group.Key.Text), LabelSpecifier);
            return specifiers is null ? null : new LabelGroup(group.Key.Text, specifiers);
        });

    public static LabelSpecifier? LabelSpecifier(ObjectReader owner, Node node, string path) => owner.ToObject(node, path, -1, r =>
    {
        if (r.Map.Entries.Count != 1)
            r.Report(FindingCodes.ValueOutOfRange, node, "", "must have exactly one name");
        var source = r.Object("source_cluster", static c => Keyed(c, "source_cluster", new SourceClusterSpecifier()));
        var destination = r.Object("destination_cluster", static c => Keyed(c, "destination_cluster", new DestinationClusterSpecifier()));
        var remote = r.Object("remote_address", static c => Keyed(c, "remote_address", new RemoteAddressSpecifier()));
        var headers = r.Object("request_headers", static c =>
            new RequestHeaderSpecifier(c.RequiredText("key"), c.RequiredText("header_name"), c.Boolean("omit_if_not_present")));
        var generic = r.Object("generic_key", static c =>
        {
            c.Ignore("v2Shorthand");
            return new GenericKeySpecifier(c.Text("key") is { Length: > 0 } key ? key : null, c.RequiredText("value"));
        });
        return (LabelSpecifier?)source ?? destination ?? remote ?? headers ?? (LabelSpecifier?)generic;
    });

    private static T Keyed<T>(ObjectReader r, string key, T specifier)
    {
        if (!r.Has("key"))
            r.Missing("key");
        r.TextOf("key", key);
        return specifier;
    }

    private static HttpHealthCheck HttpHealthCheck(ObjectReader r) => new()
    {
        Path = r.RequiredText("path"),
        Hostname = r.Text("hostname"),
        AddRequestHeaders = r.ObjectMap("add_request_headers", AddedHeader),
        RemoveRequestHeaders = r.TextList("remove_request_headers"),
        ExpectedStatuses = r.ObjectList(
            "expected_statuses", static s => new StatusRange(s.RequiredInt32("min", 100, 599), s.RequiredInt32("max", 100, 599))),
    };

    public static ErrorResponseOverride ErrorResponseOverride(ObjectReader r)
    {
        var body = r.RequiredObject("body", static b => new
        {
            ContentType = b.Text("content_type"),
            TextFormat = b.Text("text_format"),
            JsonFormat = b.TextMap("json_format"),
            File = b.Object("text_format_source", static f => new { Name = f.Text("filename") })?.Name,
        });
        return new ErrorResponseOverride
        {
            OnStatusCode = r.RequiredInt32("on_status_code", 400, 599),
            ContentType = body?.ContentType,
            TextFormat = body?.TextFormat,
            JsonFormat = body?.JsonFormat,
            TextFormatFile = body?.File,
        };
    }
}
