using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.HttpFilters;
using Nuncio.Compiler.Naming;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Emitting;

/// <summary>
/// The routes of one group (SPEC 5.3, 5.6, 5.7). A group with weights becomes routes with rising thresholds: Envoy compares all of them with one random number
/// of the request, so the shares are as written, and what is below 100 in sum falls through to later groups.
/// </summary>
internal sealed class GroupRoutes
{
    private const string CorsFilter = "envoy.filters.http.cors";
    private const string AuthFilter = "envoy.filters.http.ext_authz";

    /// <summary>What is answered while the AuthService cannot be asked, whatever the request; <see cref="HttpFilters.BrokenAuthReply"/> has the body.</summary>
    public static readonly RouteV3.DirectResponseAction AuthMissing = new() { Status = (uint)TypeV3.StatusCode.InternalServerError };

    private static readonly Any AuthDisabled = RouteMessages.Pack(new ExtAuthzPerRoute { Disabled = true });

    private readonly RouteGroupPlan _group;
    private readonly MergedSettings _merged;

    private GroupRoutes(RouteGroupPlan group)
    {
        _group = group;
        _merged = MergedSettings.Of(group);
    }

    public static ImmutableArray<EmittedRoute> Emit(RouteGroupPlan group, SecurityModel model, InsecureAction action)
    {
        var insecure = group.IsAcmeChallenge ? InsecureAction.Route : action;
        var routes = new GroupRoutes(group);
        var made = ImmutableArray.CreateBuilder<EmittedRoute>(group.Members.Length * 2);
        for (var i = 0; i < group.Members.Length; i++)
        {
            switch (model)
            {
                case SecurityModel.Secure:
                case SecurityModel.Xfp when insecure == InsecureAction.Route:
                case SecurityModel.Insecure when insecure == InsecureAction.Route:
                    made.Add(routes.Route(i, false));
                    break;
                case SecurityModel.Xfp:
                    made.Add(routes.Route(i, true));
                    if (routes.Insecure(i, insecure) is { } other)
                        made.Add(other);
                    break;
                case SecurityModel.Insecure when routes.Insecure(i, insecure) is { } only:
                    made.Add(only);
                    break;
            }
        }

        return made.ToImmutable();
    }

    /// <summary>What insecure requests get that are not routed; null for 404, which no route at all gives.</summary>
    private EmittedRoute? Insecure(int index, InsecureAction action) =>
        IsWithoutAuth(_group.Members[index].Mapping) ? null
        : action == InsecureAction.Redirect ? ToHttps(index)
        : _group.Settings.InsecureRejectStatus == 404 ? null
        : Rejected(index);

    private EmittedRoute Route(int index, bool httpsOnly)
    {
        var member = _group.Members[index];
        var route = Begin(index, httpsOnly ? "https" : "");
        if (httpsOnly)
        {
            route.Match.Headers.Add(new RouteV3.HeaderMatcher
            {
                Name = "x-forwarded-proto",
                StringMatch = new MatcherV3.StringMatcher { Exact = "https" },
            });
        }

        if (IsWithoutAuth(member.Mapping))
        {
            route.DirectResponse = AuthMissing.Clone();
            if (member.Mapping.Redirect is null)
                AddCors(route);
        }
        else if (member.Mapping.Redirect is { } redirect)
        {
            route.Redirect = redirect;
            if (_group.Settings.HasAuth)
                route.TypedPerFilterConfig[AuthFilter] = AuthDisabled;
        }
        else
        {
            route.Route_ = Action(member);
            AddHeaders(route);
            AddFilterSettings(route, member.Mapping);
        }

        if (_merged.ErrorResponses is { } errors && _group.Settings.HasErrorResponses)
            route.Metadata = new CoreV3.Metadata { FilterMetadata = { [ErrorResponseScript.FilterName] = errors.ToMetadata() } };
        return EmittedRoute.Of(route);
    }

    /// <summary>The redirect comes before authorisation (SPEC 5.3).</summary>
    private EmittedRoute ToHttps(int index)
    {
        var route = Begin(index, "to-https");
        route.Redirect = new RouteV3.RedirectAction { HttpsRedirect = true };
        AddHeaders(route);
        if (_group.Settings.HasAuth)
            route.TypedPerFilterConfig[AuthFilter] = AuthDisabled;
        return EmittedRoute.Of(route);
    }

    /// <summary>Refused before authorisation, whose service must not see what came in the clear.</summary>
    private EmittedRoute Rejected(int index)
    {
        var route = Begin(index, "reject");
        route.DirectResponse = new RouteV3.DirectResponseAction { Status = (uint)_group.Settings.InsecureRejectStatus };
        if (_group.Settings.HasAuth)
            route.TypedPerFilterConfig[AuthFilter] = AuthDisabled;
        return EmittedRoute.Of(route);
    }

    private RouteV3.Route Begin(int index, string variant)
    {
        var mapping = _group.Members[index].Mapping;
        var match = new RouteV3.RouteMatch();
        switch (mapping.Path)
        {
            case PathKind.Regex:
                match.SafeRegex = RegexRules.Matcher(mapping.Prefix, _group.Module.RegexMaxSize);
                break;
            case PathKind.Exact:
                match.Path = mapping.Prefix;
                break;
            default:
                match.Prefix = mapping.Prefix;
                break;
        }

        if ((mapping.CaseSensitive ?? _merged.CaseSensitive) == false)
            match.CaseSensitive = false;
        if (_group.Thresholds[index] < 100)
        {
            match.RuntimeFraction = new CoreV3.RuntimeFractionalPercent
            {
                DefaultValue = RouteMessages.Percent(_group.Thresholds[index]),
                RuntimeKey = "routing.traffic_shift." + (_group.Members[index].Cluster?.Name ?? "none"),
            };
        }

        match.Headers.AddRange(mapping.Headers);
        match.QueryParameters.AddRange(mapping.QueryParameters);
        return new RouteV3.Route { Name = XdsNames.Route(mapping.Key, variant), Match = match };
    }

    private RouteV3.RouteAction Action(RouteGroupMember member)
    {
        var mapping = member.Mapping;
        var action = new RouteV3.RouteAction
        {
            Cluster = member.Cluster!.Name,
            Timeout = RouteMessages.Milliseconds(mapping.TimeoutMs),
            RetryPolicy = _merged.RetryPolicy ?? _group.Module.RetryPolicy,
        };
        if (mapping.IdleTimeoutMs is { } idle)
            action.IdleTimeout = RouteMessages.Milliseconds(idle);
        if (_merged.Priority is { } priority)
            action.Priority = priority;
        if (_merged.RegexRewrite is { } regex)
            action.RegexRewrite = regex;
        else if (mapping.PrefixRewrite.Length > 0)
            action.PrefixRewrite = mapping.PrefixRewrite;
        if (mapping.HostRewrite is { } host)
            action.HostRewriteLiteral = host;
        else if (mapping.AutoHostRewrite)
            action.AutoHostRewrite = true;
        if (HashPolicy(_group.First.LoadBalancer ?? _group.Module.LoadBalancer) is { } hash)
            action.HashPolicy.Add(hash);
        if (_group.Shadow is { } shadow)
            action.RequestMirrorPolicies.Add(Mirror(shadow));
        action.RateLimits.AddRange(RateLimitLabels.Of(_group));
        foreach (var protocol in _merged.Upgrades ?? ValueList<string>.Empty)
            action.UpgradeConfigs.Add(new RouteV3.RouteAction.Types.UpgradeConfig { UpgradeType = protocol });
        return action;
    }

    private static RouteV3.RouteAction.Types.RequestMirrorPolicy Mirror(RouteGroupMember shadow) => new()
    {
        Cluster = shadow.Cluster!.Name,
        RuntimeFraction = new CoreV3.RuntimeFractionalPercent { DefaultValue = RouteMessages.Percent(shadow.Mapping.Weight ?? 100) },
    };

    private static RouteV3.RouteAction.Types.HashPolicy? HashPolicy(LoadBalancerConfig? config)
    {
        if (config is null || config.Policy is LoadBalancerPolicy.RoundRobin or LoadBalancerPolicy.LeastRequest)
            return null;
        var policy = new RouteV3.RouteAction.Types.HashPolicy();
        if (config.Cookie is { } cookie)
        {
            policy.Cookie = new RouteV3.RouteAction.Types.HashPolicy.Types.Cookie { Name = cookie.Name, Path = cookie.Path ?? "" };
            if (GoDuration.TryParse(cookie.Ttl, out var ttl))
                policy.Cookie.Ttl = RouteMessages.Of(ttl);
        }
        else if (config.Header is { } header)
        {
            policy.Header = new RouteV3.RouteAction.Types.HashPolicy.Types.Header { HeaderName = header };
        }
        else
        {
            policy.ConnectionProperties = new RouteV3.RouteAction.Types.HashPolicy.Types.ConnectionProperties { SourceIp = config.SourceIp == true };
        }

        return policy;
    }

    private void AddHeaders(RouteV3.Route route)
    {
        foreach (var (name, header) in _merged.AddRequestHeaders)
            route.RequestHeadersToAdd.Add(HeaderMessages.Option(name, header));
        foreach (var (name, header) in _merged.AddResponseHeaders)
            route.ResponseHeadersToAdd.Add(HeaderMessages.Option(name, header));
        route.RequestHeadersToRemove.AddRange(_merged.RemoveRequestHeaders ?? ValueList<string>.Empty);
        route.ResponseHeadersToRemove.AddRange(_merged.RemoveResponseHeaders ?? ValueList<string>.Empty);
    }

    private void AddCors(RouteV3.Route route)
    {
        if ((_merged.Cors ?? _group.Module.Cors) is { } cors)
            route.TypedPerFilterConfig[CorsFilter] = cors;
    }

    private void AddFilterSettings(RouteV3.Route route, MappingPlan mapping)
    {
        AddCors(route);
        if (!_group.Settings.HasAuth)
            return;
        if (mapping.BypassAuth)
        {
            route.TypedPerFilterConfig[AuthFilter] = AuthDisabled;
        }
        else if (mapping.AuthContextExtensions is { Count: > 0 } extensions)
        {
            var settings = new CheckSettings();
            foreach (var (name, value) in extensions)
                settings.ContextExtensions[name] = value;
            route.TypedPerFilterConfig[AuthFilter] = RouteMessages.Pack(new ExtAuthzPerRoute { CheckSettings = settings });
        }
    }

    /// <summary>Whether requests get an error since nobody can say whether they are allowed (SPEC 9.3).</summary>
    private bool IsWithoutAuth(MappingPlan mapping) => _group.Settings.AuthIsBroken && !IsProbe(mapping);

    private static bool IsProbe(MappingPlan mapping) =>
        mapping is { Internal: true, Key.Name: "internal_liveness_probe_mapping" or "internal_readiness_probe_mapping" };
}
