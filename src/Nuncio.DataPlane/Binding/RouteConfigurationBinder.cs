using System.Runtime.CompilerServices;
using System.Text;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Routing;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Binding;

/// <summary>
/// Binds route configurations. What was bound once is found again by the message object, so that a configuration with one changed route among many
/// costs what one route costs, and an index. Thread-safe.
/// </summary>
public sealed class RouteConfigurationBinder
{
    private readonly HttpFilterCatalog _filters;
    private readonly RouteBinder _routes;
    private readonly ConditionalWeakTable<RouteV3.Route, BoundRoute> _boundRoutes = [];
    private readonly ConditionalWeakTable<RouteV3.VirtualHost, BoundHost> _boundHosts = [];

    /// <summary>With the filters whose per-route configuration is known.</summary>
    public RouteConfigurationBinder(HttpFilterCatalog filters)
    {
        _filters = filters;
        _routes = new RouteBinder(filters);
    }

    /// <summary>Where virtual clusters are counted; null counts them nowhere that can be seen.</summary>
    public MetricsRegistry? Metrics { get; init; }

    /// <summary>
    /// A route that cannot be bound is refused alone, and answers 500 so that no other gets its requests. Else, and where not even its condition can be bound,
    /// its route configuration is refused, as Envoy does.
    /// </summary>
    public bool RefusesRoutesAlone { get; init; }

    /// <summary>The model; null where there are errors.</summary>
    public RouteConfigurationModel? Bind(RouteV3.RouteConfiguration message, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(errors);
        var found = new BindErrors();
        SupportedFields.Check(
            message, "", found, "name", "virtual_hosts", "internal_only_headers", "response_headers_to_add", "response_headers_to_remove",
            "request_headers_to_add", "request_headers_to_remove", "most_specific_header_mutations_wins", "validate_clusters",
            "max_direct_response_body_size_bytes", "request_mirror_policies", "ignore_port_in_host_matching", "vhost_header",
            "ignore_path_parameters_in_path_matching", "typed_per_filter_config", "metadata");
        var maxDirectResponse = (int)Math.Min(message.MaxDirectResponseBodySizeBytes ?? 0, int.MaxValue);
        var index = new VirtualHostIndex(message.IgnorePortInHostMatching, message.VhostHeader.Length > 0 ? message.VhostHeader.ToLowerInvariant() : null);
        var hosts = new List<VirtualHostModel>(message.VirtualHosts.Count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < message.VirtualHosts.Count; i++)
        {
            var host = message.VirtualHosts[i];
            var at = BindErrors.Path("", "virtual_hosts", i);
            if (!names.Add(host.Name))
            {
                found.Add(BindErrors.Path(at, "name"), $"Two virtual hosts have the name {host.Name}.");
            }

            var bound = BindHost(host, maxDirectResponse);
            found.AddAll(at, bound.Errors);
            if (bound.Model is not { } model)
            {
                continue;
            }

            hosts.Add(model);
            for (var d = 0; d < model.Domains.Count; d++)
            {
                if (!index.TryAdd(model.Domains[d], model))
                {
                    found.Add(BindErrors.Path(at, "domains", d), $"The domain {model.Domains[d]} is taken by another virtual host.");
                }
            }
        }

        var configuration = new RouteConfigurationModel
        {
            Name = message.Name,
            VirtualHosts = hosts,
            Index = index,
            InternalOnlyHeaders = [.. message.InternalOnlyHeaders.Select(header => Encoding.ASCII.GetBytes(header.ToLowerInvariant()))],
            RequestHeaders = ValueBinder.Mutations(
                message.RequestHeadersToAdd, message.RequestHeadersToRemove, "", "request_headers_to_add", "request_headers_to_remove", found),
            ResponseHeaders = ValueBinder.Mutations(
                message.ResponseHeadersToAdd, message.ResponseHeadersToRemove, "", "response_headers_to_add", "response_headers_to_remove", found),
            MostSpecificHeaderMutationsWins = message.MostSpecificHeaderMutationsWins,
            FilterConfigs = _filters.BindRoute(message.TypedPerFilterConfig, "", found),
            MirrorPolicies = RouteBinder.BindMirrors(message.RequestMirrorPolicies, "", found),
            IgnorePathParameters = message.IgnorePathParametersInPathMatching,
            Message = message,
        };
        errors.AddAll(path, found);
        return found.Any ? null : configuration;
    }

    private BoundHost BindHost(RouteV3.VirtualHost message, int maxDirectResponse)
    {
        if (_boundHosts.TryGetValue(message, out var known) && known.MaxDirectResponse == maxDirectResponse)
        {
            return known;
        }

        var errors = new BindErrors();
        SupportedFields.Check(
            message, "", errors, "name", "domains", "routes", "require_tls", "virtual_clusters", "rate_limits", "request_headers_to_add",
            "request_headers_to_remove", "response_headers_to_add", "response_headers_to_remove", "cors", "typed_per_filter_config",
            "include_request_attempt_count", "include_attempt_count_in_response", "retry_policy", "hedge_policy", "include_is_timeout_retry_header",
            "per_request_buffer_limit_bytes", "request_body_buffer_limit", "request_mirror_policies", "metadata");
        if (message.Domains.Count == 0)
        {
            errors.Add("domains", "A virtual host needs a domain.");
        }

        var domains = new string[message.Domains.Count];
        for (var i = 0; i < domains.Length; i++)
        {
            domains[i] = message.Domains[i].ToLowerInvariant();
            if (domains[i].Length == 0 || domains[i].AsSpan()[Math.Min(1, domains[i].Length)..^(domains[i].Length > 1 ? 1 : 0)].Contains('*'))
            {
                errors.Add(BindErrors.Path("", "domains", i), "A domain needs a name; a star may stand at its start or at its end.");
            }
        }

        var routes = new List<RouteModel>(message.Routes.Count);
        for (var i = 0; i < message.Routes.Count; i++)
        {
            var bound = BindRoute(message.Routes[i], maxDirectResponse);
            if (bound.Errors.All.Count > 0 || bound.Errors.FailClosed.Count > 0 || bound.Errors.Isolated.Count > 0)
            {
                errors.AddAll(BindErrors.Path("", "routes", i), bound.Errors);
            }

            if (bound.Model is { } route)
            {
                routes.Add(route);
            }
        }

        RouteModel[] all = [.. routes];
        var model = new VirtualHostModel
        {
            Name = message.Name,
            Domains = domains,
            Routes = all,
            Index = new RouteIndex(all),
            RequireTls = message.RequireTls,
            VirtualClusters = BindVirtualClusters(message, errors),
            RequestHeaders = ValueBinder.Mutations(
                message.RequestHeadersToAdd, message.RequestHeadersToRemove, "", "request_headers_to_add", "request_headers_to_remove", errors),
            ResponseHeaders = ValueBinder.Mutations(
                message.ResponseHeadersToAdd, message.ResponseHeadersToRemove, "", "response_headers_to_add", "response_headers_to_remove", errors),
            FilterConfigs = _filters.BindRoute(message.TypedPerFilterConfig, "", errors),
            Cors = CorsBinder.Bind(message.Cors, "cors", errors),
            RetryPolicy = _routes.BindRetry(message.RetryPolicy, "retry_policy", errors),
            HedgePolicy = RouteBinder.BindHedge(message.HedgePolicy, "hedge_policy", errors),
            MirrorPolicies = RouteBinder.BindMirrors(message.RequestMirrorPolicies, "", errors),
            IncludeRequestAttemptCount = message.IncludeRequestAttemptCount,
            IncludeAttemptCountInResponse = message.IncludeAttemptCountInResponse,
            IncludeIsTimeoutRetryHeader = message.IncludeIsTimeoutRetryHeader,
            RequestBodyBufferLimit = (long?)message.RequestBodyBufferLimit ?? message.PerRequestBufferLimitBytes,
            RateLimits = RateLimitBinder.Bind(message.RateLimits, "", errors),
            Message = message,
        };
        var result = new BoundHost(errors.Any ? null : model, errors, maxDirectResponse);
        _boundHosts.AddOrUpdate(message, result);
        return result;
    }

    private List<VirtualClusterModel> BindVirtualClusters(RouteV3.VirtualHost message, BindErrors errors)
    {
        var clusters = new List<VirtualClusterModel>(message.VirtualClusters.Count + 1);
        if (message.VirtualClusters.Count == 0)
        {
            return clusters;
        }

        var registry = Metrics ?? new MetricsRegistry();
        for (var i = 0; i < message.VirtualClusters.Count; i++)
        {
            var cluster = message.VirtualClusters[i];
            var at = BindErrors.Path("", "virtual_clusters", i);
            SupportedFields.Check(cluster, at, errors, "headers", "name");
            if (cluster.Name.Length == 0 || cluster.Headers.Count == 0)
            {
                errors.Add(at, "A virtual cluster needs a name and headers.");
            }

            clusters.Add(new VirtualClusterModel(
                ValueBinder.Headers(cluster.Headers, at, "headers", errors), new VirtualClusterMetrics(registry, message.Name, cluster.Name))
            {
                Name = cluster.Name,
            });
        }

        // Envoy counts what none includes under this name, and has no name for it elsewhere.
        clusters.Add(new VirtualClusterModel([], new VirtualClusterMetrics(registry, message.Name, "other")) { Name = "" });
        return clusters;
    }

    private BoundRoute BindRoute(RouteV3.Route message, int maxDirectResponse)
    {
        if (_boundRoutes.TryGetValue(message, out var known) && known.MaxDirectResponse == maxDirectResponse)
        {
            return known;
        }

        var (model, errors) = _routes.Bind(message, maxDirectResponse);
        if (RefusesRoutesAlone && errors.Any && _routes.BindRefused(message) is { } refused)
        {
            var alone = new BindErrors();
            alone.Isolate(errors, "Its requests are answered with 500.");
            (model, errors) = (refused, alone);
        }

        var result = new BoundRoute(model, errors, maxDirectResponse);
        _boundRoutes.AddOrUpdate(message, result);
        return result;
    }

    private sealed record BoundRoute(RouteModel? Model, BindErrors Errors, int MaxDirectResponse);

    private sealed record BoundHost(VirtualHostModel? Model, BindErrors Errors, int MaxDirectResponse);
}
