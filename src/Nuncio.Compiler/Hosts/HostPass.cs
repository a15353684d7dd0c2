using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Tls;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Core;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Modules;

namespace Nuncio.Compiler.Hosts;

/// <summary>Leaves the Hosts and the TLS contexts. All of it is kept while none of the resources it comes from changes.</summary>
internal sealed class HostPass : ICompilerPass
{
    private const string TlsModuleName = "tls";

    /// <inheritdoc/>
    public void Run(CompilerContext context)
    {
        var memo = context.Memo<State>();
        var snapshot = context.Snapshot;
        var inputs = new Inputs(
            snapshot.Hosts,
            [.. context.DerivedHosts],
            snapshot.TlsContexts,
            snapshot.Secrets,
            snapshot.Modules.FirstOrDefault(module => module.Name == TlsModuleName && module.Tls is not null),
            context.Module.Config.Defaults?.TlsSecretNamespacing ?? true,
            snapshot.Invalid.Any(key => key.Kind == HostResource.KindName));
        if (memo.Inputs is null || !memo.Inputs.IsSameAs(inputs))
        {
            memo.Refresh(inputs, context.Options);
        }
        context.Edge = memo.Edge;
        context.UpstreamTls = memo.UpstreamTls;
        context.HostSelectors = memo.Selectors;
        context.Findings.AddRange(memo.Findings);
    }

    private sealed record Inputs(
        ImmutableArray<HostResource> Hosts,
        ImmutableArray<HostResource> DerivedHosts,
        ImmutableArray<TlsContextResource> TlsContexts,
        ImmutableArray<SecretResource> Secrets,
        ModuleResource? TlsModule,
        bool SecretNamespacing,
        bool AnyInvalidHost)
    {
        public bool IsSameAs(Inputs other) =>
            SameObjects.In(Hosts, other.Hosts)
            && SameObjects.In(DerivedHosts, other.DerivedHosts)
            && SameObjects.In(TlsContexts, other.TlsContexts)
            && SameObjects.In(Secrets, other.Secrets)
            && ReferenceEquals(TlsModule, other.TlsModule)
            && SecretNamespacing == other.SecretNamespacing
            && AnyInvalidHost == other.AnyInvalidHost;
    }

    private sealed class State
    {
        private SecretCatalog? _secrets;

        public Inputs? Inputs { get; private set; }

        public EdgePlan Edge { get; private set; } = EdgePlan.Empty;

        public IReadOnlyDictionary<string, UpstreamTlsPlan> UpstreamTls { get; private set; } = ImmutableDictionary<string, UpstreamTlsPlan>.Empty;

        public ImmutableArray<ValueMap<string>> Selectors { get; private set; } = [];

        public ImmutableArray<Finding> Findings { get; private set; } = [];

        public void Refresh(Inputs inputs, CompilerOptions options)
        {
            Inputs = inputs;
            var findings = new FindingSink();
            _secrets = new SecretCatalog(inputs.Secrets, _secrets);
            var tlsPlanner = new TlsContextPlanner(_secrets, inputs.SecretNamespacing, findings);
            var contexts = new TlsContextCatalog(inputs.TlsContexts, inputs.TlsModule, tlsPlanner, findings);
            var hosts = new HostPlanner(_secrets, contexts, tlsPlanner, options, findings).Plan(
                inputs.Hosts.Concat(inputs.DerivedHosts), inputs.AnyInvalidHost);
            contexts.PlanAll();
            Edge = new EdgePlan(hosts, contexts);
            UpstreamTls = Originating(contexts);
            Selectors = [.. hosts.Select(host => host.Selector).OfType<ValueMap<string>>().Distinct()];
            Findings = findings.ToImmutable();
        }

        private static Dictionary<string, UpstreamTlsPlan> Originating(TlsContextCatalog contexts)
        {
            var plans = new Dictionary<string, UpstreamTlsPlan>(StringComparer.Ordinal);
            foreach (var draft in contexts.Drafts)
            {
                if (contexts.Plan(draft.Name) is not { } plan) continue;
                plans.Add(draft.Name, new UpstreamTlsPlan(draft.Name, TlsContextEmitter.UpstreamSocket(plan), [.. TlsContextEmitter.Secrets(plan)]));
            }
            return plans;
        }
    }
}
