using System.Globalization;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Resolving;
using Nuncio.Compiler.Validation;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>What becomes of the AuthServices.</summary>
/// <param name="Filter">The ext_authz filter; null when there is no AuthService, or only a broken one.</param>
/// <param name="Broken">The AuthService, as <c>name.namespace.1</c>, because of which every request is answered 500; null when all is well.</param>
internal sealed record AuthPlan(ExtAuthz? Filter, string? Broken);

/// <summary>AuthServices to the ext_authz filter (SPEC 9.3).</summary>
/// <remarks>
/// Whatever is wrong with an AuthService, requests are not let through without it: the routes themselves then answer 500, which needs nothing that could fail.
/// </remarks>
internal static class AuthServicePlanner
{
    private const long DefaultTimeoutMs = 5000;

    private static readonly string[] AlwaysSent =
        ["authorization", "cookie", "from", "proxy-authorization", "user-agent", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

    private static readonly string[] AlwaysTaken = ["authorization", "location", "proxy-authenticate", "set-cookie", "www-authenticate"];

    /// <summary>Plans the filter.</summary>
    public static AuthPlan Plan(CompilerContext context)
    {
        var services = StoredNames.InOrder(context.Snapshot.AuthServices).ToList();
        var invalid = context.Snapshot.Invalid.FirstOrDefault(key => key.Kind == AuthServiceResource.KindName);
        if (invalid.Name is not null) return new AuthPlan(null, $"{invalid.Name}.{invalid.Namespace}.1");
        if (services.Count == 0) return new AuthPlan(null, null);
        var filters = services.ConvertAll(service => (Service: service, Filter: Filter(context, service, out var cluster), Cluster: cluster));
        if (filters.Find(each => each.Filter is null) is { Service: { } broken }) return new AuthPlan(null, KeyOf(broken));
        var last = filters[^1];
        for (var i = 0; i < filters.Count - 1; i++)
        {
            if (!AgreesWith(filters[i].Service, last.Service, context.Findings)) return new AuthPlan(null, KeyOf(last.Service));
        }

        // Requests are spread over all of them; they are alike in what counts, and the last says the rest.
        if (filters.Count > 1) context.SharedClusters.Add((last.Cluster!, [.. filters.Take(filters.Count - 1).Select(each => each.Cluster!)]));
        return new AuthPlan(last.Filter, null);
    }

    private static string KeyOf(AuthServiceResource service) => LoadPlace.Of(service).ToString();

    /// <summary>Whether two AuthServices can be asked alike (SPEC 9.3); where not, nobody can say which of the settings is meant.</summary>
    private static bool AgreesWith(AuthServiceResource one, AuthServiceResource other, FindingSink findings)
    {
        var agrees = true;
        Compare("spec.proto", one.Spec.Proto ?? "http", other.Spec.Proto ?? "http");
        Compare("spec.path_prefix", one.Spec.PathPrefix ?? "", other.Spec.PathPrefix ?? "");
        Compare("spec.timeout_ms", one.Spec.TimeoutMs ?? DefaultTimeoutMs, other.Spec.TimeoutMs ?? DefaultTimeoutMs);
        Compare("spec.allow_request_body", one.Spec.AllowRequestBody ?? false, other.Spec.AllowRequestBody ?? false);
        Compare("spec.tls", one.Spec.Tls ?? "", other.Spec.Tls ?? "");
        Compare("spec.auth_service", IsHttps(one), IsHttps(other));
        return agrees;

        void Compare<T>(string field, T value, T wanted)
            where T : IEquatable<T>
        {
            if (value.Equals(wanted)) return;
            agrees = false;
            findings.Error(
                one,
                FindingCodes.AuthServiceInvalid,
                field,
                $"it has to be as in {other.Namespace}/{other.Name}, since requests are spread over both; until it is corrected every request is answered 500");
        }
    }

    private static bool IsHttps(AuthServiceResource service) => service.Spec.AuthService.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static ExtAuthz? Filter(CompilerContext context, AuthServiceResource service, out Planning.ClusterPlan? cluster)
    {
        var spec = service.Spec;
        var findings = context.Findings;
        var ok = true;
        var proto = spec.Proto ?? "http";
        if (proto is not ("http" or "grpc")) Wrong("spec.proto", $"'{proto}' is neither http nor grpc");
        if (proto == "grpc" && spec.ProtocolVersion != "v3") Wrong("spec.protocol_version", "must be v3 with proto grpc");
        if (spec.IncludeBody is not null && spec.AllowRequestBody == true) Wrong("spec.allow_request_body", "may not be set together with include_body");
        if (spec.IncludeBody is { MaxBytes: < 1 or > uint.MaxValue }) Wrong("spec.include_body.max_bytes", "must be between 1 and 4294967295");
        if (spec.TimeoutMs is < 0 or > ClusterRules.LongestMs) Wrong("spec.timeout_ms", "must not be negative");
        if (spec.StatusOnError is { } status && !Enum.IsDefined((TypeV3.StatusCode)status)) Wrong("spec.status_on_error.code", $"{status} is no HTTP status");
        if (proto != "grpc" && spec.PathPrefix.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0) Wrong("spec.path_prefix", "holds what no path can have");
        CheckNames("spec.allowed_request_headers", spec.AllowedRequestHeaders);
        CheckNames("spec.allowed_authorization_headers", spec.AllowedAuthorizationHeaders);
        foreach (var (name, value) in spec.AddAuthHeaders ?? ValueMap<string>.Empty)
        {
            if (!HeaderRules.IsToken(name) || !HeaderRules.IsValue(value)) Wrong("spec.add_auth_headers", $"'{name}' cannot be sent as a header");
        }
        cluster = context.Clusters.Request(new UpstreamSpec
        {
            Owner = service,
            Namespace = service.Namespace,
            Service = spec.AuthService,
            ServiceField = "spec.auth_service",
            Marker = "extauth",
            Qualify = false,
            Tls = spec.Tls,
            Grpc = proto == "grpc",
            CircuitBreakers = spec.CircuitBreakers,
            StatsName = spec.StatsName,
        });
        if (!ok || cluster is null) return null;
        if (proto == "grpc")
        {
            WithoutEffect("path_prefix", spec.PathPrefix is { Length: > 0 });
            WithoutEffect("allowed_request_headers", spec.AllowedRequestHeaders is { Count: > 0 });
            WithoutEffect("allowed_authorization_headers", spec.AllowedAuthorizationHeaders is { Count: > 0 });
            WithoutEffect("add_auth_headers", spec.AddAuthHeaders is { Count: > 0 });
            WithoutEffect("add_linkerd_headers", spec.AddLinkerdHeaders == true);
        }
        var filter = new ExtAuthz { ClearRouteCache = true };
        var timeout = RouteMessages.Milliseconds(spec.TimeoutMs ?? DefaultTimeoutMs);
        if (proto == "grpc")
        {
            filter.TransportApiVersion = CoreV3.ApiVersion.V3;
            filter.GrpcService = new CoreV3.GrpcService
            {
                EnvoyGrpc = new CoreV3.GrpcService.Types.EnvoyGrpc { ClusterName = cluster.Name },
                Timeout = timeout,
            };
        }
        else
        {
            filter.TransportApiVersion = CoreV3.ApiVersion.V3;
            filter.HttpService = Http(context, spec, cluster, timeout);
        }
        if (spec.IncludeBody is { } body)
            filter.WithRequestBody = new BufferSettings { MaxRequestBytes = (uint)body.MaxBytes, AllowPartialMessage = body.AllowPartial };
        else if (spec.AllowRequestBody == true) filter.WithRequestBody = new BufferSettings { MaxRequestBytes = 4096, AllowPartialMessage = true };
        if (spec.FailureModeAllow == true) filter.FailureModeAllow = true;
        if (spec.StatusOnError is { } code) filter.StatusOnError = new TypeV3.HttpStatus { Code = (TypeV3.StatusCode)code };
        return filter;

        void Wrong(string field, string message)
        {
            ok = false;
            findings.Error(service, FindingCodes.AuthServiceInvalid, field, $"{message}; until it is corrected every request is answered 500");
        }

        void WithoutEffect(string field, bool isSet)
        {
            if (!isSet) return;
            findings.Warning(
                service, FindingCodes.FieldWithoutEffect, $"spec.{field}",
                "has no effect with proto grpc: the service is sent every header, and says which to change");
        }

        void CheckNames(string field, ValueList<string>? names)
        {
            foreach (var name in names ?? [])
            {
                if (!HeaderRules.IsToken(name)) Wrong(field, $"'{name}' is no header name");
            }
        }
    }

    private static HttpService Http(
        CompilerContext context, AuthServiceSpec spec, Planning.ClusterPlan cluster, Google.Protobuf.WellKnownTypes.Duration timeout)
    {
        var scheme = cluster.Upstream.OriginateTls ? "https" : "http";
        var address = string.Create(CultureInfo.InvariantCulture, $"{cluster.Upstream.Host}:{cluster.Upstream.Port}");
        var prefix = spec.PathPrefix ?? "";
        var request = new AuthorizationRequest { AllowedHeaders = Patterns(AlwaysSent, spec.AllowedRequestHeaders) };
        foreach (var (name, value) in spec.AddAuthHeaders ?? ValueMap<string>.Empty)
        {
            request.HeadersToAdd.Add(new CoreV3.HeaderValue { Key = name, Value = value });
        }
        if (spec.AddLinkerdHeaders ?? context.Module.Config.AddLinkerdHeaders ?? false)
        {
            request.HeadersToAdd.Add(new CoreV3.HeaderValue { Key = "l5d-dst-override", Value = address });
        }
        return new HttpService
        {
            ServerUri = new CoreV3.HttpUri { Uri = $"{scheme}://{address}", Cluster = cluster.Name, Timeout = timeout },

            // Envoy refuses a prefix that does not begin with a slash.
            PathPrefix = prefix.Length == 0 || prefix[0] == '/' ? prefix : "/" + prefix,
            AuthorizationRequest = request,
            AuthorizationResponse = new AuthorizationResponse
            {
                AllowedUpstreamHeaders = Patterns(AlwaysTaken, spec.AllowedAuthorizationHeaders),
                AllowedClientHeaders = Patterns(AlwaysTaken, spec.AllowedAuthorizationHeaders),
            },
        };
    }

    private static MatcherV3.ListStringMatcher Patterns(string[] always, ValueList<string>? more)
    {
        var names = new SortedSet<string>(always, StringComparer.Ordinal);
        foreach (var name in more ?? []) names.Add(name.ToLowerInvariant());
        var list = new MatcherV3.ListStringMatcher();
        foreach (var name in names) list.Patterns.Add(new MatcherV3.StringMatcher { Exact = name, IgnoreCase = true });
        return list;
    }
}
