using System.Collections.Immutable;
using Nuncio.Resources;
using Nuncio.Resources.Core;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Modules;
using Nuncio.Resources.Reading;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Sources;

/// <summary>Puts what the units hold together into one snapshot: filters by scope, orders, and lets the first of two with one name win.</summary>
public static class SnapshotAssembler
{
    /// <summary>Assembles a snapshot.</summary>
    /// <param name="revision">Its revision.</param>
    /// <param name="units">In the order that decides which of two equal keys is the first.</param>
    /// <param name="sourceFindings">What the sources themselves found.</param>
    /// <param name="options">The scope.</param>
    public static ResourceSnapshot Assemble(
        long revision, IReadOnlyList<ManifestReading> units, IEnumerable<Finding> sourceFindings, SnapshotOptions options)
    {
        ArgumentNullException.ThrowIfNull(units);
        ArgumentNullException.ThrowIfNull(sourceFindings);
        ArgumentNullException.ThrowIfNull(options);
        var findings = ImmutableArray.CreateBuilder<Finding>();
        findings.AddRange(sourceFindings);
        var kinds = new Dictionary<Type, List<Resource>>();
        var seen = new Dictionary<ResourceKey, Resource>();
        var leftOut = new HashSet<ResourceKey>();
        foreach (var unit in units)
        {
            foreach (var resource in unit.Resources)
            {
                if (!IsInScope(resource, options))
                {
                    leftOut.Add(resource.Key);
                    continue;
                }

                if (!seen.TryAdd(resource.Key, resource))
                {
                    findings.Add(Duplicate(resource, seen[resource.Key]));
                    continue;
                }

                var type = resource.GetType();
                if (!kinds.TryGetValue(type, out var list))
                    kinds.Add(type, list = []);
                list.Add(resource);
            }
        }

        var invalid = ImmutableArray.CreateBuilder<ResourceKey>();
        var invalidDenies = false;
        foreach (var unit in units)
        {
            foreach (var resource in unit.Invalid)
            {
                // Kinds without ids belong to everybody.
                var isOurs = resource.AmbassadorId is null || AmbassadorIdPolicy.Matches(resource.AmbassadorId, options.AmbassadorId);
                if (isOurs && !seen.ContainsKey(resource.Key))
                {
                    invalid.Add(resource.Key);
                    invalidDenies |= resource.MustDeny;
                }
                else if (!seen.ContainsKey(resource.Key))
                    leftOut.Add(resource.Key);
            }

            foreach (var finding in unit.Findings)
            {
                // What belongs to another gateway is that gateway's to report.
                if (finding.Resource is not { } key || seen.ContainsKey(key) || !leftOut.Contains(key))
                    findings.Add(finding);
            }
        }

        AddKindNotices(units, findings);
        ImmutableArray<T> Of<T>()
            where T : Resource
        {
            if (!kinds.TryGetValue(typeof(T), out var list))
                return [];
            list.Sort(ByNamespaceAndName);
            return [.. list.Cast<T>()];
        }

        return new ResourceSnapshot
        {
            Revision = revision,
            Mappings = Of<MappingResource>(),
            TcpMappings = Of<TcpMappingResource>(),
            Hosts = Of<HostResource>(),
            Listeners = Of<ListenerResource>(),
            Modules = Of<ModuleResource>(),
            TlsContexts = Of<TlsContextResource>(),
            AuthServices = Of<AuthServiceResource>(),
            RateLimitServices = Of<RateLimitServiceResource>(),
            LogServices = Of<LogServiceResource>(),
            TracingServices = Of<TracingServiceResource>(),
            KubernetesServiceResolvers = Of<KubernetesServiceResolverResource>(),
            KubernetesEndpointResolvers = Of<KubernetesEndpointResolverResource>(),
            ConsulResolvers = Of<ConsulResolverResource>(),
            DevPortals = Of<DevPortalResource>(),
            Ingresses = Of<IngressResource>(),
            IngressClasses = Of<IngressClassResource>(),
            Services = Of<ServiceResource>(),
            Endpoints = Of<EndpointsResource>(),
            EndpointSlices = Of<EndpointSliceResource>(),
            Secrets = Of<SecretResource>(),
            ConfigMaps = Of<ConfigMapResource>(),
            Namespaces = Of<NamespaceResource>(),
            Invalid = invalid.ToImmutable(),
            InvalidRateLimitDenies = invalidDenies,
            Findings = findings.ToImmutable(),
        };
    }

    private static int ByNamespaceAndName(Resource a, Resource b)
    {
        var byNamespace = string.CompareOrdinal(a.Namespace, b.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(a.Name, b.Name);
    }

    private static bool IsInScope(Resource resource, SnapshotOptions options)
    {
        if (resource is AmbassadorResource ambassador && !AmbassadorIdPolicy.Matches(ambassador.AmbassadorId, options.AmbassadorId))
            return false;
        // A process that sees one namespace sees nothing that is in none.
        if (resource is IngressClassResource)
            return options.OnlyNamespace is null;
        if (resource is SecretResource && options.OnlySecretNamespace is { } secrets && resource.Namespace != secrets)
            return false;
        return options.OnlyNamespace is not { } only || resource.Namespace.Length == 0 || resource.Namespace == only;
    }

    private static Finding Duplicate(Resource second, Resource first)
    {
        var origin = first.Location is { } location ? $" in {location}" : first.AnnotationOf is { } carrier ? $" in an annotation of {carrier}" : "";
        return new Finding(
            FindingCodes.DuplicateResource, FindingLevel.Error, $"{second.Key} is already defined{origin}; that definition stays, this one has no effect",
            second.Key, "", second.Location);
    }

    // A cluster's dump may hold hundreds of objects of kinds that are none of ours: each kind is worth one line.
    private static void AddKindNotices(IReadOnlyList<ManifestReading> units, ImmutableArray<Finding>.Builder findings)
    {
        var unknown = new Dictionary<(string, string), (KindSeen First, int Count)>();
        var legacy = new Dictionary<string, (KindSeen First, int Count)>(StringComparer.Ordinal);
        foreach (var unit in units)
        {
            foreach (var kind in unit.UnknownKinds)
                unknown[(kind.ApiVersion, kind.Kind)] = unknown.TryGetValue((kind.ApiVersion, kind.Kind), out var before)
                    ? (before.First, before.Count + 1) : (kind, 1);
            foreach (var kind in unit.LegacyVersions)
                legacy[kind.ApiVersion] = legacy.TryGetValue(kind.ApiVersion, out var before) ? (before.First, before.Count + 1) : (kind, 1);
        }

        foreach (var (kind, count) in unknown.Values.OrderBy(v => v.First.ApiVersion, StringComparer.Ordinal).ThenBy(v => v.First.Kind, StringComparer.Ordinal))
        {
            findings.Add(new Finding(
                FindingCodes.UnknownKind, FindingLevel.Notice, $"{kind.Kind} ({kind.ApiVersion}) is not read; {count} of it", null, "", kind.Location,
                kind.Suggestion()));
        }

        foreach (var (kind, count) in legacy.Values.OrderBy(v => v.First.ApiVersion, StringComparer.Ordinal))
        {
            findings.Add(new Finding(
                FindingCodes.DeprecatedApiVersion, FindingLevel.Notice, $"{count} of {kind.ApiVersion}: read as v3alpha1; consider upgrading", null, "",
                kind.Location,
                "getambassador.io/v3alpha1"));
        }
    }
}
