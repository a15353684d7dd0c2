using System.Text;
using Nuncio.Compiler;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Routing;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>
/// Says what the embedded proxy does with a request, step by step, from the messages it would be given and with its own matchers, so that the two cannot
/// disagree. Sends nothing and opens nothing.
/// </summary>
public sealed class Explainer
{
    private const int MaxNearMisses = 10;

    private readonly CompilationResult _compilation;
    private readonly ResourceSnapshot _resources;
    private readonly ClusterSteps _clusters;
    private readonly RouteConfigurationBinder _binder = new(new HttpFilterCatalog([])) { RefusesRoutesAlone = true };

    /// <summary>Explains requests to what was compiled from these resources.</summary>
    public Explainer(ResourceSnapshot resources, CompilationResult compilation)
    {
        ArgumentNullException.ThrowIfNull(resources);
        ArgumentNullException.ThrowIfNull(compilation);
        _resources = resources;
        _compilation = compilation;
        _clusters = new ClusterSteps(compilation);
    }

    /// <summary>Explains a request.</summary>
    public Explanation Explain(ExplainRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var nothing = new Explanation { Request = request, Outcome = new ClosedOutcome("") };
        var choice = ListenerChoice.For(request, _compilation.Snapshot);
        if (choice is null)
            return nothing with { Outcome = new ClosedOutcome($"nothing listens for {request.Url.Scheme} on port {request.Url.Port}") };

        var soFar = nothing with
        {
            Listener = new ListenerStep(choice.Listener.Name, choice.Address, _compilation.Provenance.OfListener(choice.Listener.Name), choice.Reason),
        };
        if (choice.Chain is not { } chain)
        {
            return soFar with
            {
                Outcome = new ClosedOutcome(request.IsTls
                    ? $"no filter chain has a certificate for {request.Url.IdnHost}"
                    : "no filter chain takes cleartext connections"),
            };
        }

        soFar = soFar with
        {
            FilterChain = new FilterChainStep(chain.Name, [.. chain.FilterChainMatch?.ServerNames ?? []], chain.TransportSocket is not null),
        };
        if (request.IsTls != (chain.TransportSocket is not null))
        {
            return soFar with
            {
                Outcome = new ClosedOutcome(request.IsTls
                    ? $"this filter chain speaks cleartext; there is no certificate for {request.Url.IdnHost}"
                    : "this filter chain speaks TLS only"),
            };
        }

        return NetworkFilters.Unpack(chain) switch
        {
            HcmV3.HttpConnectionManager manager => Route(soFar, request, manager, choice.Port),
            Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy tcp => soFar with { Outcome = new TunnelOutcome(_clusters.Of(tcp)) },
            _ => soFar with { Outcome = new ClosedOutcome("the filter chain has no filter that serves connections") },
        };
    }

    private Explanation Route(Explanation soFar, ExplainRequest request, HcmV3.HttpConnectionManager manager, int listenerPort)
    {
        var headers = RequestHeaders.For(request, manager, listenerPort);
        var cleaning = PathNormalizer.Normalize(headers, HttpConnectionManagerBinder.BindPathNormalization(manager));
        var target = Text(headers.Get(KnownHeader.Path));
        if (cleaning == PathNormalizationResult.Reject)
            return soFar with { Outcome = new AnswerOutcome(400, "the path is not allowed") };
        if (cleaning == PathNormalizationResult.Redirect)
            return soFar with { Outcome = new RedirectOutcome(307, target) };
        if (target != request.PathAndQuery)
            soFar = soFar with { CleanedPath = target };

        var message = manager.Rds is { } rds
            ? _compilation.Snapshot.RouteConfigurations.GetValueOrDefault(rds.RouteConfigName)?.Message
            : manager.RouteConfig;
        var errors = new BindErrors();
        if (message is null || _binder.Bind(message, "", errors) is not { } configuration)
        {
            var reason = errors.All.Count > 0
                ? $"the embedded proxy refuses the route configuration: {errors.All[0].FieldPath}: {errors.All[0].Message}" : "it has no routes";
            return soFar with { Outcome = new AnswerOutcome(404, reason) };
        }

        if (configuration.Index.Find(headers) is not { } host)
            return soFar with { Outcome = new AnswerOutcome(404, $"no virtual host is for {request.Authority}") };
        soFar = soFar with { VirtualHost = new VirtualHostStep(configuration.Name, host.Name, [.. host.Domains], host.Routes.Count) };

        var input = new RouteInput(headers, connection: null, random: 0, configuration.IgnorePathParameters);
        var route = host.Index.Find(input);
        soFar = soFar with { NearMisses = NearMisses(host, route, input) };
        if (route is null)
            return soFar with { Outcome = new AnswerOutcome(404, "no route of the virtual host takes the request; another virtual host is not tried") };
        soFar = soFar with { Route = Step(host, route) };
        if (route is { Action: DirectResponseModel refused, Message.DirectResponse: null })
            return soFar with { Outcome = new AnswerOutcome(refused.Status, $"the embedded proxy refuses the route: {Refusal(message, route, errors)}") };
        return soFar with { Outcome = Act(headers, route) };
    }

    private static string Refusal(RouteV3.RouteConfiguration message, RouteModel route, BindErrors errors)
    {
        for (var i = 0; i < message.VirtualHosts.Count; i++)
        {
            var at = message.VirtualHosts[i].Routes.IndexOf(route.Message);
            if (at >= 0 && errors.Isolated.FirstOrDefault(error => error.FieldPath.StartsWith($"virtual_hosts[{i}].routes[{at}].", StringComparison.Ordinal)) is { } error)
                return error.Message;
        }

        return "it cannot be bound";
    }

    private Outcome Act(HeaderMap headers, RouteModel route)
    {
        var target = Text(headers.Get(KnownHeader.Path));
        switch (route.Action)
        {
            case ForwardModel forward:
                return new ForwardOutcome(
                    _clusters.Of(route.Message.Route_),
                    RewrittenTarget.Of(target, route.Match, forward.PathRewrite),
                    forward.AutoHostRewrite ? null : forward.HostRewrite?.Literal is { } literal ? Text(literal) : Text(headers.Get(KnownHeader.Authority)),
                    forward.Timeout > TimeSpan.Zero ? forward.Timeout : null,
                    [.. (forward.MirrorPolicies ?? []).Where(mirror => mirror.Cluster.Length > 0).Select(mirror => _clusters.Of(mirror.Cluster, 100))]);
            case RedirectModel redirect:
                return new RedirectOutcome(redirect.Status, RewrittenTarget.LocationOf(headers, route.Match, redirect));
            case DirectResponseModel direct:
                return new AnswerOutcome(direct.Status, direct.Body.IsEmpty ? "the route answers by itself" : Text(direct.Body.Span));
            default:
                return new AnswerOutcome(404, "the route does not forward");
        }
    }

    /// <summary>
    /// Routes before the one that was taken whose path matched. Where none was taken and none of these exist, those whose path has the most in common with the
    /// request's.
    /// </summary>
    private ImmutableArray<RouteMiss> NearMisses(VirtualHostModel host, RouteModel? taken, in RouteInput input)
    {
        var misses = ImmutableArray.CreateBuilder<RouteMiss>();
        foreach (var route in host.Routes)
        {
            if (ReferenceEquals(route, taken) || misses.Count == MaxNearMisses)
                break;
            if (route.Match.Kind != PathMatchKind.Connect && route.Match.IsPathMatch(input.Path)
                && RouteConditions.FirstFailure(route.Match, input) is { } failure)
                misses.Add(new RouteMiss(Step(host, route), failure));
        }

        return taken is not null || misses.Count > 0 ? misses.ToImmutable() : Closest(host, input);
    }

    private ImmutableArray<RouteMiss> Closest(VirtualHostModel host, in RouteInput input)
    {
        var path = input.Path.ToArray();
        var closest = host.Routes
            .Select((route, position) => (Route: route, Position: position, Common: path.AsSpan().CommonPrefixLength(route.Match.Literal)))
            .Where(candidate => candidate.Common > 1)
            .OrderByDescending(candidate => candidate.Common).ThenBy(candidate => candidate.Position)
            .Take(3);
        var misses = ImmutableArray.CreateBuilder<RouteMiss>();
        foreach (var (route, _, _) in closest)
        {
            if (RouteConditions.FirstFailure(route.Match, input) is { } failure)
                misses.Add(new RouteMiss(Step(host, route), failure));
        }

        return misses.ToImmutable();
    }

    private RouteStep Step(VirtualHostModel host, RouteModel route)
    {
        var position = 1;
        foreach (var candidate in host.Routes)
        {
            if (ReferenceEquals(candidate, route))
                break;
            position++;
        }

        var key = Provenance.OfRoute(route.Name);
        return new RouteStep(route.Name, position, Conditions(route.Match), key, LocationOf(key));
    }

    private SourceLocation? LocationOf(ResourceKey? key) =>
        key is { } known ? _resources.All().FirstOrDefault(resource => resource.Key == known)?.Location : null;

    private static string Conditions(RouteMatchModel match)
    {
        var conditions = new List<string> { match.ToString() };
        conditions.AddRange(match.Headers.Select(header => header.ToString() ?? ""));
        conditions.AddRange(match.QueryParameters.Select(parameter => parameter.ToString() ?? ""));
        conditions.AddRange(match.Cookies.Select(cookie => cookie.ToString() ?? ""));
        if (match.Grpc)
            conditions.Add("gRPC request");
        if (match.Fraction.Numerator < match.Fraction.Denominator)
            conditions.Add($"{match.Fraction.Numerator} of {match.Fraction.Denominator} requests");
        return string.Join(", ", conditions);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
