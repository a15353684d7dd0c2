using Nuncio.Resources.Core;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Dialects.Ingresses;

/// <summary>Leaves the Mappings and Hosts of all Ingresses that are ours; an unchanged Ingress gives the same objects as before.</summary>
internal sealed class IngressPass : ICompilerPass
{
    /// <inheritdoc/>
    public void Run(CompilerContext context)
    {
        var state = context.Memo<IngressState>();
        var snapshot = context.Snapshot;
        if (state.Ingresses != snapshot.Ingresses || state.Classes != snapshot.IngressClasses || state.Services != snapshot.Services)
        {
            state.Refresh(snapshot, context.Options.AmbassadorId);
        }
        foreach (var translation in state.Translations)
        {
            context.DerivedMappings.AddRange(translation.Mappings);
            context.DerivedHosts.AddRange(translation.Hosts);
            context.Findings.AddRange(translation.Findings);
        }
    }

    private sealed class IngressState
    {
        private Dictionary<IngressResource, Entry> _entries = new(ReferenceEqualityComparer.Instance);

        public ImmutableArray<IngressResource> Ingresses { get; private set; } = [];

        public ImmutableArray<IngressClassResource> Classes { get; private set; } = [];

        public ImmutableArray<ServiceResource> Services { get; private set; } = [];

        public List<IngressTranslation> Translations { get; } = [];

        public void Refresh(ResourceSnapshot snapshot, string ambassadorId)
        {
            (Ingresses, Classes, Services) = (snapshot.Ingresses, snapshot.IngressClasses, snapshot.Services);
            Translations.Clear();
            var classes = new HashSet<string>(StringComparer.Ordinal);
            foreach (var item in snapshot.IngressClasses)
            {
                if (string.Equals(item.Controller, IngressDialect.Controller, StringComparison.OrdinalIgnoreCase) && IngressDialect.IsForId(item, ambassadorId))
                {
                    classes.Add(item.Name);
                }
            }
            Dictionary<(string, string), ServiceResource>? services = null;
            var entries = new Dictionary<IngressResource, Entry>(ReferenceEqualityComparer.Instance);
            foreach (var ingress in StoredNames.InOrder(snapshot.Ingresses))
            {
                if (!IngressDialect.IsOurs(ingress, classes) || !IngressDialect.IsForId(ingress, ambassadorId)) continue;
                if (!_entries.TryGetValue(ingress, out var entry) || !entry.IsFresh(Find))
                {
                    var asked = new Dictionary<string, ServiceResource?>(StringComparer.Ordinal);
                    var translation = IngressDialect.Translate(ingress, name => asked[name] = Find(ingress.Namespace, name));
                    entry = new Entry(ingress.Namespace, translation, asked);
                }
                entries[ingress] = entry;
                Translations.Add(entry.Translation);
            }
            _entries = entries;

            ServiceResource? Find(string @namespace, string name)
            {
                services ??= snapshot.Services.ToDictionary(service => (service.Namespace, service.Name));
                return services.GetValueOrDefault((@namespace, name));
            }
        }

        /// <summary>A translation and the Services that it depends on.</summary>
        private sealed record Entry(string Namespace, IngressTranslation Translation, Dictionary<string, ServiceResource?> Asked)
        {
            public bool IsFresh(Func<string, string, ServiceResource?> find)
            {
                foreach (var (name, service) in Asked)
                {
                    if (!ReferenceEquals(find(Namespace, name), service)) return false;
                }
                return true;
            }
        }
    }
}
