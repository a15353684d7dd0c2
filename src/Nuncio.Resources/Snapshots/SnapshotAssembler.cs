using System.Collections.Immutable;
using Nuncio.Resources.Core;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Modules;
using Nuncio.Resources.Reading;

namespace Nuncio.Resources.Snapshots;

/// <summary>Puts what was read together: takes what belongs to this process, settles duplicates, sorts. A pure function.</summary>
public static class SnapshotAssembler
{
    /// <summary>Makes a snapshot.</summary>
    /// <param name="readings">In order; of two objects with the same key the later one counts.</param>
    /// <param name="options">Which resources belong to this process.</param>
    /// <param name="revision">The snapshot's number.</param>
    /// <param name="findings">What the sources found, to be listed first.</param>
    public static ResourceSnapshot Assemble(
        IReadOnlyCollection<ManifestReading> readings, SnapshotOptions options, long revision, IEnumerable<Finding>? findings = null)
    {
        var collected = new List<Finding>(findings ?? []);
        var chosen = new Dictionary<ResourceKey, Resource>();
        var foreign = new HashSet<ResourceKey>();
        foreach (var resource in readings.SelectMany(reading => reading.Resources))
        {
            if (!Belongs(resource, options))
            {
                foreign.Add(resource.Key);
                continue;
            }

            if (chosen.TryGetValue(resource.Key, out var earlier))
                collected.Add(Duplicate(earlier, resource));
            chosen[resource.Key] = resource;
        }

        var invalid = new HashSet<ResourceKey>();
        foreach (var candidate in readings.SelectMany(reading => reading.Invalid))
        {
            if (AmbassadorIdPolicy.Matches(candidate.AmbassadorId, options.AmbassadorId) || candidate.AmbassadorId is null)
                invalid.Add(candidate.Key);
            else
                foreign.Add(candidate.Key);
        }

        foreach (var finding in readings.SelectMany(reading => reading.Findings))
        {
            if (finding.Resource is not { } key || !foreign.Contains(key) || chosen.ContainsKey(key) || invalid.Contains(key))
                collected.Add(finding);
        }

        AddOncePerKind(collected, readings.SelectMany(reading => reading.UnknownKinds), FindingCodes.UnknownKind, UnknownKindMessage);
        AddOncePerKind(collected, readings.SelectMany(reading => reading.LegacyVersions), FindingCodes.DeprecatedApiVersion, LegacyVersionMessage);
        return Build(chosen.Values, revision) with
        {
            Invalid = [.. invalid.Where(key => !chosen.ContainsKey(key)).OrderBy(key => key.ToString(), StringComparer.Ordinal)],
            Findings = [.. collected],
        };
    }

    private static bool Belongs(Resource resource, SnapshotOptions options)
    {
        if (resource is AmbassadorResource ambassador && !AmbassadorIdPolicy.Matches(ambassador.AmbassadorId, options.AmbassadorId))
            return false;
        if (resource is IngressClassResource)
            return options.OnlyNamespace is null;
        if (resource is SecretResource && options.OnlySecretsOfNamespace is { } secretsOf && resource.Namespace != secretsOf)
            return false;
        return options.OnlyNamespace is null || resource.Namespace.Length == 0 || resource.Namespace == options.OnlyNamespace;
    }

    private static ResourceSnapshot Build(IReadOnlyCollection<Resource> resources, long revision)
    {
        var kinds = resources.ToLookup(resource => resource.GetType());
        return new ResourceSnapshot
        {
            Revision = revision,
            Mappings = Sorted<MappingResource>(kinds),
            TcpMappings = Sorted<TcpMappingResource>(kinds),
            Hosts = Sorted<HostResource>(kinds),
            Listeners = Sorted<ListenerResource>(kinds),
            Modules = Sorted<ModuleResource>(kinds),
            TlsContexts = Sorted<TlsContextResource>(kinds),
            AuthServices = Sorted<AuthServiceResource>(kinds),
            RateLimitServices = Sorted<RateLimitServiceResource>(kinds),
            LogServices = Sorted<LogServiceResource>(kinds),
            TracingServices = Sorted<TracingServiceResource>(kinds),
            KubernetesServiceResolvers = Sorted<KubernetesServiceResolverResource>(kinds),
            KubernetesEndpointResolvers = Sorted<KubernetesEndpointResolverResource>(kinds),
            ConsulResolvers = Sorted<ConsulResolverResource>(kinds),
            DevPortals = Sorted<DevPortalResource>(kinds),
            Ingresses = Sorted<IngressResource>(kinds),
            IngressClasses = Sorted<IngressClassResource>(kinds),
            Services = Sorted<ServiceResource>(kinds),
            Endpoints = Sorted<EndpointsResource>(kinds),
            EndpointSlices = Sorted<EndpointSliceResource>(kinds),
            Secrets = Sorted<SecretResource>(kinds),
            ConfigMaps = Sorted<ConfigMapResource>(kinds),
            Namespaces = Sorted<NamespaceResource>(kinds),
        };
    }

    private static ImmutableArray<T> Sorted<T>(ILookup<Type, Resource> kinds)
        where T : Resource
    {
        var list = kinds[typeof(T)].Cast<T>().ToArray();
        Array.Sort(list, static (a, b) =>
        {
            var byNamespace = string.CompareOrdinal(a.Namespace, b.Namespace);
            return byNamespace != 0 ? byNamespace : string.CompareOrdinal(a.Name, b.Name);
        });
        return ImmutableArray.Create(list);
    }

    private static Finding Duplicate(Resource earlier, Resource later)
    {
        var place = later.Location is { } location ? $" at {location}" : "";
        return new Finding(
            FindingCodes.DuplicateResource, FindingLevel.Error, $"{earlier.Key} is defined again{place}; that later definition counts", earlier.Key, "",
            earlier.Location);
    }

    private static void AddOncePerKind(List<Finding> findings, IEnumerable<KindSeen> seen, string code, Func<KindSeen, int, string> message)
    {
        foreach (var group in seen.GroupBy(kind => (kind.ApiVersion, kind.Kind)))
        {
            var first = group.First();
            findings.Add(new Finding(code, FindingLevel.Notice, message(first, group.Count()), null, "", first.Location));
        }
    }

    private static string UnknownKindMessage(KindSeen kind, int count) => $"{kind.Kind} ({kind.ApiVersion}) is not read: {Objects(count)} left out";

    private static string LegacyVersionMessage(KindSeen kind, int count) =>
        $"{kind.ApiVersion} is deprecated: {Objects(count)} of kind {kind.Kind} converted to getambassador.io/v3alpha1";

    private static string Objects(int count) => count == 1 ? "1 object" : $"{count} objects";
}
