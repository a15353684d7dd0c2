using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.Planning;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Association;

/// <summary>
/// Route tables to route configurations. Hosts whose virtual hosts would be equal share one; an unchanged virtual host stays the same object, and its version
/// is composed from those of its routes, so that one changed Mapping does not mean serialising all.
/// </summary>
internal sealed class RouteTableEmitter
{
    /// <summary>The header that announces HTTP/3 (RFC 9114, 3.1.1), with the fixed port that Emissary announces.</summary>
    private const string AltSvcValue = "h3=\":443\"; ma=86400, h3-29=\":443\"; ma=86400";

    /// <summary>The last route of every virtual host while the AuthService cannot be asked: what has no route is an error too (SPEC 9.3).</summary>
    private static readonly EmittedRoute AuthMissing = EmittedRoute.Of(new RouteV3.Route
    {
        Name = "auth-service-misconfigured",
        Match = new RouteV3.RouteMatch { Prefix = "/" },
        DirectResponse = GroupRoutes.AuthMissing,
    });

    private Dictionary<(string Table, string Name), VirtualHostEntry> _before = [];
    private Dictionary<(string Table, string Name), VirtualHostEntry> _now = [];
    private readonly Dictionary<(SecurityModel, bool), EmittedRoute> _refusals = [];

    /// <summary>Begins a compilation.</summary>
    public void Begin()
    {
        _before = _now;
        _now = [];
    }

    /// <summary>Emits one.</summary>
    public XdsResource<RouteV3.RouteConfiguration> Emit(
        RouteTablePlan table,
        RouteScopePlan scope,
        Func<HostPlan, ImmutableArray<RouteGroupPlan>> groupsOf,
        RouteSettings settings)
    {
        var message = new RouteV3.RouteConfiguration { Name = table.Name };
        var version = new VersionComposer().Add(table.Name).Add(scope.AnnouncesHttp3 ? 1 : 0);
        if (scope.AnnouncesHttp3)
        {
            message.ResponseHeadersToAdd.Add(new CoreV3.HeaderValueOption { Header = new CoreV3.HeaderValue { Key = "alt-svc", Value = AltSvcValue } });
        }
        foreach (var content in Divide(table, groupsOf, settings.AuthIsBroken))
        {
            var entry = VirtualHost(table.Name, content, scope.SecurityModel, settings);
            message.VirtualHosts.Add(entry.Message);
            version.Add(entry.Version);
        }
        return new XdsResource<RouteV3.RouteConfiguration>(table.Name, message, version.Compose());
    }

    /// <summary>Puts Hosts together that would get the same routes.</summary>
    private static List<Content> Divide(RouteTablePlan table, Func<HostPlan, ImmutableArray<RouteGroupPlan>> groupsOf, bool answersAll)
    {
        var contents = new List<Content>();
        var index = new Dictionary<Content, Content>();
        foreach (var host in table.Hosts) Add(new Content(groupsOf(host), host.InsecureAction, IsRefused: false), host.Hostname);
        foreach (var host in table.Refused)
        {
            ImmutableArray<RouteGroupPlan> challenges = [.. groupsOf(host).Where(group => group.IsAcmeChallenge)];
            Add(new Content(challenges, InsecureAction.Redirect, IsRefused: true), host.Hostname);
        }
        if (answersAll && !contents.Exists(content => content.Domains.Contains("*"))) Add(new Content([], InsecureAction.Redirect, IsRefused: false), "*");
        return contents;

        void Add(Content content, string hostname)
        {
            if (!index.TryGetValue(content, out var shared))
            {
                shared = content;
                index.Add(content, content);
                contents.Add(content);
            }
            shared.Domains.Add(hostname);
        }
    }

    private VirtualHostEntry VirtualHost(string table, Content content, SecurityModel model, RouteSettings settings)
    {
        var key = (table, content.Domains[0]);
        if (!_before.TryGetValue(key, out var entry) || !entry.Content.Equals(content) || !entry.Content.Domains.SequenceEqual(content.Domains)
            || entry.Settings != settings)
        {
            entry = Build(content, model, settings);
        }
        _now[key] = entry;
        return entry;
    }

    private VirtualHostEntry Build(Content content, SecurityModel model, RouteSettings settings)
    {
        var name = content.Domains[0];
        var message = new RouteV3.VirtualHost { Name = name };
        var version = new VersionComposer().Add(name).Add(content.Domains.Count);
        foreach (var domain in content.Domains)
        {
            message.Domains.Add(domain);
            version.Add(domain);
        }
        var routes = new List<RouteV3.Route>(content.Groups.Length * 2);
        foreach (var group in content.Groups)
        {
            foreach (var route in RouteEmitter.Emit(group, model, content.Action))
            {
                routes.Add(route.Message);
                version.Add(route.Version);
            }
        }
        if ((content.IsRefused ? Refusal(model, settings.HasAuth) : settings.AuthIsBroken ? AuthMissing : null) is { } last)
        {
            routes.Add(last.Message);
            version.Add(last.Version);
        }
        message.Routes.AddRange(routes);
        return new VirtualHostEntry(content, message, version.Compose(), settings);
    }

    /// <summary>Answers 503 without asking an authorisation service, which must not see what came in the clear.</summary>
    private EmittedRoute Refusal(SecurityModel model, bool hasAuth)
    {
        if (_refusals.TryGetValue((model, hasAuth), out var known)) return known;
        var route = new RouteV3.Route
        {
            Name = "tls-not-available",
            Match = new RouteV3.RouteMatch { Prefix = "/" },
            DirectResponse = new RouteV3.DirectResponseAction { Status = 503 },
        };
        if (hasAuth)
        {
            route.TypedPerFilterConfig.Add(
                "envoy.filters.http.ext_authz",
                RouteMessages.Pack(new Envoy.Extensions.Filters.Http.ExtAuthz.V3.ExtAuthzPerRoute { Disabled = true }));
        }
        known = EmittedRoute.Of(route);
        _refusals.Add((model, hasAuth), known);
        return known;
    }

    private sealed record VirtualHostEntry(Content Content, RouteV3.VirtualHost Message, XdsVersion Version, RouteSettings Settings);

    /// <summary>What decides the routes of a virtual host; equal when the groups are the same objects in the same order.</summary>
    private sealed class Content : IEquatable<Content>
    {
        private readonly int _hash;

        public Content(ImmutableArray<RouteGroupPlan> groups, InsecureAction action, bool IsRefused)
        {
            Groups = groups;
            Action = action;
            this.IsRefused = IsRefused;

            // A few of many are enough to tell most apart; equality looks at all.
            var hash = HashCode.Combine(groups.Length, action, IsRefused);
            for (var i = 0; i < groups.Length; i += 1 + (groups.Length / 16))
                hash = HashCode.Combine(hash, System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(groups[i]));
            if (groups.Length > 0) hash = HashCode.Combine(hash, System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(groups[^1]));
            _hash = hash;
        }

        public ImmutableArray<RouteGroupPlan> Groups { get; }

        public InsecureAction Action { get; }

        public bool IsRefused { get; }

        public List<string> Domains { get; } = [];

        public bool Equals(Content? other)
        {
            if (other is null || Action != other.Action || IsRefused != other.IsRefused || Groups.Length != other.Groups.Length) return false;
            if (Groups == other.Groups) return true;
            for (var i = 0; i < Groups.Length; i++)
            {
                if (!ReferenceEquals(Groups[i], other.Groups[i])) return false;
            }
            return true;
        }

        public override bool Equals(object? obj) => Equals(obj as Content);

        public override int GetHashCode() => _hash;
    }
}
