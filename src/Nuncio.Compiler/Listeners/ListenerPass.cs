using Nuncio.Compiler.Association;
using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Tcp;
using Nuncio.Compiler.Tls;

namespace Nuncio.Compiler.Listeners;

/// <summary>
/// Leaves the listeners, their route configurations and keys. What does not depend on Mappings is kept while nothing it depends on changes, so that a changed
/// Mapping costs no more than the virtual hosts it is in.
/// </summary>
internal sealed class ListenerPass : ICompilerPass
{
    /// <inheritdoc/>
    public void Run(CompilerContext context)
    {
        var memo = context.Memo<State>();
        var invalid = context.Snapshot.Invalid.Any(key => key.Kind == ListenerResource.KindName);
        memo.Refresh(context, invalid);
        context.Findings.AddRange(memo.Findings);
        foreach (var entry in memo.Listeners)
        {
            context.Listeners.Add(entry.Resource.Name, entry.Resource);
            if (entry.Plan.Origin is { } origin) context.ListenerOwners[entry.Resource.Name] = origin.Key;
        }
        foreach (var (name, secret) in memo.Secrets) context.Secrets[name] = secret;
        EmitRoutes(context, memo);
    }

    private static void EmitRoutes(CompilerContext context, State memo)
    {
        var sameHosts = ReferenceEquals(memo.IndexedEdge, context.Edge);
        if (memo.Index is null || context.Groups != memo.Groups || !sameHosts)
        {
            memo.Groups = context.Groups;
            memo.IndexedEdge = context.Edge;
            memo.RouteFindings = default;
            if (!sameHosts || memo.Index?.TryReplace(context.Groups) != true) memo.Index = new GroupIndex(context.Groups, context.Options.StrictLabelSelectors);
        }
        memo.Emitter.Begin();
        foreach (var scope in memo.UsedScopes)
        {
            foreach (var table in scope.Tables)
            {
                var routes = memo.Emitter.Emit(table, scope, memo.Index.Of, context.RouteSettings);
                context.RouteConfigurations[routes.Name] = routes;
            }
        }
        if (memo.RouteFindings.IsDefault)
            memo.RouteFindings = RouteReach.Findings(context.Groups, memo.UsedScopes.Count == 0 ? [] : memo.Index.Untaken(), context.HostSelectors);
        context.Findings.AddRange(memo.RouteFindings);
    }

    private sealed record Entry(ListenerPlan Plan, XdsResource<ListenerV3.Listener> Resource);

    private sealed class State
    {
        private ImmutableArray<ListenerResource> _listeners;
        private bool _anyInvalid;
        private EdgePlan? _edge;
        private XdsVersion _http;
        private string _tcp = "";

        public RouteTableEmitter Emitter { get; } = new();

        public GroupIndex? Index { get; set; }

        public ImmutableArray<RouteGroupPlan> Groups { get; set; }

        public object? IndexedEdge { get; set; }

        public ImmutableArray<Finding> RouteFindings { get; set; }

        public List<Entry> Listeners { get; } = [];

        public List<RouteScopePlan> UsedScopes { get; } = [];

        public Dictionary<string, XdsResource<TlsV3.Secret>> Secrets { get; } = new(StringComparer.Ordinal);

        public ImmutableArray<Finding> Findings { get; private set; } = [];

        public void Refresh(CompilerContext context, bool anyInvalid)
        {
            var tcp = string.Join('\n', context.TcpGroups.Select(group => group.Signature));
            if (ReferenceEquals(_edge, context.Edge) && _http == context.HttpSettings.Version && _tcp == tcp && _anyInvalid == anyInvalid
                && !_listeners.IsDefault && SameObjects.In(_listeners, context.Snapshot.Listeners))
            {
                return;
            }
            (_listeners, _anyInvalid, _edge, _http, _tcp) = (context.Snapshot.Listeners, anyInvalid, context.Edge, context.HttpSettings.Version, tcp);
            Listeners.Clear();
            UsedScopes.Clear();
            Secrets.Clear();
            Index = null;
            RouteFindings = default;
            Build(context);
        }

        private void Build(CompilerContext context)
        {
            var findings = new FindingSink();
            var planner = new ListenerPlanner(context.Options, findings);
            var plans = planner.Plan(
                _listeners,
                _anyInvalid,
                context.TcpGroups.Select(group => (group.Address, group.Port, group.Host is not null, group.First)));
            var scopePlanner = new RouteScopePlanner(context.Edge.Hosts, context.Options.StrictLabelSelectors, findings);
            var scopes = new Dictionary<string, RouteScopePlan>(StringComparer.Ordinal);
            var used = new HashSet<RouteScopePlan>();
            foreach (var plan in plans)
            {
                if (!scopes.TryGetValue(plan.RouteScope, out var scope)) scopes.Add(plan.RouteScope, scope = scopePlanner.Plan(plan));
                var tcp = plan.IsUdp ? [] : context.TcpGroups.FindAll(group => group.Address == plan.Address && group.Port == plan.Port);
                ReportConflicts(plan, scope, tcp, findings);
                ReportLeftOut(plan, scope, findings);
                var message = ListenerEmitter.Emit(plan, scope, tcp, context.HttpSettings);
                if (message.FilterChains.Count == 0)
                {
                    findings.Error(
                        plan.Origin, FindingCodes.ListenerUnused, "", $"no Host and no TCPMapping belongs to Listener '{plan.Name}'; it is not opened");
                    continue;
                }
                Listeners.Add(new Entry(plan, XdsResource<ListenerV3.Listener>.Create(plan.Name, message)));
                if (plan.HasHttp && used.Add(scope)) UsedScopes.Add(scope);
                AddSecrets(plan, scope, tcp);
            }
            ReportUnavailable(context, planner.Unavailable, UsedScopes, findings);
            Findings = findings.ToImmutable();
        }

        /// <summary>Hosts that HTTP/3 alone would serve, where it is not.</summary>
        private static void ReportUnavailable(
            CompilerContext context, IReadOnlyList<ListenerPlan> unavailable, IEnumerable<RouteScopePlan> open, FindingSink findings)
        {
            if (unavailable.Count == 0) return;
            var served = open.SelectMany(HostsOf).ToHashSet();
            // What else is wrong with these Hosts is said where they are served.
            var planner = new RouteScopePlanner(context.Edge.Hosts, context.Options.StrictLabelSelectors, new FindingSink());
            foreach (var listener in unavailable)
            {
                foreach (var host in planner.Plan(listener).Chains.SelectMany(chain => chain.Table.Hosts))
                {
                    if (!served.Add(host)) continue;
                    findings.Error(
                        host.Resource,
                        FindingCodes.Http3Unavailable,
                        "spec.hostname",
                        $"'{host.Hostname}' is not served: its only Listener is '{listener.Name}', and HTTP/3 is not available on this machine. "
                            + "Give it a Listener for TLS over TCP too");
                }
            }
        }

        private static IEnumerable<HostPlan> HostsOf(RouteScopePlan scope) =>
            [.. scope.Cleartext.Hosts, .. scope.Cleartext.Refused, .. scope.LeftOut, .. scope.Chains.SelectMany(chain => chain.Table.Hosts)];

        private static void ReportConflicts(ListenerPlan plan, RouteScopePlan scope, List<TcpGroupPlan> tcp, FindingSink findings)
        {
            if (!plan.HasHttp || plan.IsUdp) return;
            foreach (var group in tcp)
            {
                if (group.Host is null && !scope.Cleartext.Hosts.IsEmpty)
                {
                    findings.Error(
                        plan.Origin,
                        FindingCodes.ListenerChainConflict,
                        "",
                        $"TCPMapping {group.First.Namespace}/{group.First.Name} without host takes every connection without TLS; "
                            + "Hosts are served there with TLS only");
                }
                foreach (var chain in plan.HasTls ? scope.Chains : [])
                {
                    if (chain.ServerName != group.Host) continue;
                    findings.Error(
                        chain.Host.Resource,
                        FindingCodes.ListenerChainConflict,
                        "spec.hostname",
                        $"TCPMapping {group.First.Namespace}/{group.First.Name} takes the TLS connections for '{group.Host}' on Listener '{plan.Name}'");
                }
            }
        }

        private static void ReportLeftOut(ListenerPlan plan, RouteScopePlan scope, FindingSink findings)
        {
            if (!plan.HasHttp || plan.IsUdp) return;
            foreach (var host in scope.LeftOut)
            {
                findings.Warning(
                    host.Resource,
                    FindingCodes.HostLeftOut,
                    "spec.requestPolicy.insecure.action",
                    $"Listener '{plan.Name}' takes every request for insecure, so the Host is not served there without TLS; "
                        + "a Host with a wider name answers, if any");
            }
        }

        private void AddSecrets(ListenerPlan plan, RouteScopePlan scope, List<TcpGroupPlan> tcp)
        {
            foreach (var group in tcp)
            {
                if (group.Tls is { } tls) Add(tls);
            }
            if (!plan.HasHttp || !plan.HasTls) return;
            foreach (var chain in scope.Chains) Add(chain.Tls);

            void Add(TlsContextPlan tls)
            {
                foreach (var secret in TlsContextEmitter.Secrets(tls)) Secrets[secret.Name] = secret;
            }
        }
    }
}
