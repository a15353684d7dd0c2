using Envoy.Config.Route.V3;

namespace Nuncio.XdsServer.Subscriptions;

/// <summary>A route that a client refuses.</summary>
/// <param name="FieldPath">Where it is, for instance <c>virtual_hosts[0].routes[3]</c>.</param>
/// <param name="Message">Why, in the client's words.</param>
internal readonly record struct RouteFault(string FieldPath, string Message);

/// <summary>
/// Finds the routes for which a client refuses a route configuration, by offering it with more and more of what is new in it: every offer is what the client
/// had or was found good, so each may serve. A route at fault answers 500 where the client takes that, so that nobody else's route gets its requests.
/// </summary>
internal sealed class RouteSieve
{
    private readonly IXdsResource _target;
    private readonly RouteConfiguration _message;
    private readonly RouteConfiguration _shell;
    private readonly HashSet<(int Host, int Route)> _good = [];
    private readonly Dictionary<(int Host, int Route), Route> _replaced = [];
    private readonly Stack<List<(int Host, int Route)>> _suspects = new();
    private readonly List<RouteFault> _faults = [];
    private List<(int Host, int Route)>? _offered;
    private Route? _offeredReplacement;

    /// <summary>A sieve for a refused route configuration.</summary>
    /// <param name="target">What was refused.</param>
    /// <param name="before">What the client has of it; null where that is nothing or not known.</param>
    public RouteSieve(IXdsResource target, IXdsResource? before)
    {
        _target = target;
        _message = (RouteConfiguration)target.Message;
        _shell = _message.Clone();
        foreach (var host in _shell.VirtualHosts) host.Routes.Clear();
        var known = before?.Message is RouteConfiguration old ? old.VirtualHosts.SelectMany(host => host.Routes).ToHashSet() : [];
        var suspects = new List<(int, int)>();
        for (var host = 0; host < _message.VirtualHosts.Count; host++)
        {
            for (var route = 0; route < _message.VirtualHosts[host].Routes.Count; route++)
            {
                if (known.Contains(_message.VirtualHosts[host].Routes[route])) _good.Add((host, route));
                else suspects.Add((host, route));
            }
        }

        // Together they were refused already: the two halves come next, after what is left without them.
        Divide(suspects);
        _suspects.Push([]);
    }

    /// <summary>The version that was refused.</summary>
    public XdsVersion Version => _target.Version;

    /// <summary>Even without anything new it is refused: the fault is not in a route.</summary>
    public bool IsHopeless { get; private set; }

    /// <summary>The routes that were found.</summary>
    public ImmutableArray<RouteFault> Faults => [.. _faults];

    /// <summary>What to offer next; null when all is known.</summary>
    public IXdsResource? Next()
    {
        if (IsHopeless) return null;
        if (_offeredReplacement is null)
        {
            if (!_suspects.TryPop(out _offered)) return null;
        }

        return Offer();
    }

    /// <summary>The client took the last offer.</summary>
    public void Accept()
    {
        if (_offeredReplacement is { } replacement) _replaced[_offered![0]] = replacement;
        else _good.UnionWith(_offered!);
        _offeredReplacement = null;
    }

    /// <summary>The client refused the last offer.</summary>
    public void Refuse(string message)
    {
        if (_offeredReplacement is not null)
        {
            // Not even its condition is taken: it is left out.
            _offeredReplacement = null;
            return;
        }

        switch (_offered!.Count)
        {
            case 0:
                IsHopeless = true;
                break;
            case 1:
                var (host, route) = _offered[0];
                _faults.Add(new RouteFault($"virtual_hosts[{host}].routes[{route}]", message));
                var bad = _message.VirtualHosts[host].Routes[route];
                _offeredReplacement = new Route { Name = bad.Name, Match = bad.Match, DirectResponse = new DirectResponseAction { Status = 500 } };
                break;
            default:
                Divide(_offered);
                break;
        }
    }

    private void Divide(List<(int Host, int Route)> suspects)
    {
        if (suspects.Count == 0) return;
        if (suspects.Count == 1)
        {
            _suspects.Push(suspects);
            return;
        }

        _suspects.Push(suspects[(suspects.Count / 2)..]);
        _suspects.Push(suspects[..(suspects.Count / 2)]);
    }

    private IXdsResource Offer()
    {
        var offer = _shell.Clone();
        var offered = _offered!.ToHashSet();
        for (var host = 0; host < offer.VirtualHosts.Count; host++)
        {
            var routes = _message.VirtualHosts[host].Routes;
            for (var route = 0; route < routes.Count; route++)
            {
                if (_replaced.TryGetValue((host, route), out var replacement)) offer.VirtualHosts[host].Routes.Add(replacement);
                else if (offered.Contains((host, route))) offer.VirtualHosts[host].Routes.Add(_offeredReplacement ?? routes[route]);
                else if (_good.Contains((host, route))) offer.VirtualHosts[host].Routes.Add(routes[route]);
            }
        }

        return XdsResource<RouteConfiguration>.Create(_target.Name, offer);
    }
}
