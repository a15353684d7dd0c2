using System.Globalization;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Core;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Dialects.Ingresses;

/// <summary>What one Ingress is turned into.</summary>
/// <param name="Hosts">One for each host of each <c>tls</c> entry with a Secret.</param>
/// <param name="Mappings">One for the default backend and one for each path.</param>
/// <param name="Findings">What was wrong.</param>
internal sealed record IngressTranslation(ImmutableArray<HostResource> Hosts, ImmutableArray<MappingResource> Mappings, ImmutableArray<Finding> Findings);

/// <summary>Ingresses to Hosts and Mappings (SPEC 11.1).</summary>
internal static class IngressDialect
{
    /// <summary>The controller of IngressClasses that are ours.</summary>
    public const string Controller = "getambassador.io/ingress-controller";

    private const string ClassAnnotation = "kubernetes.io/ingress.class";
    private const string ClassAnnotationValue = "ambassador";
    private const string IdAnnotation = "getambassador.io/ambassador-id";

    /// <summary>The label that ties an Ingress' Mappings to its Hosts.</summary>
    private const string SelectorLabel = "a10r-k8s-ingress";

    /// <summary>Whether the annotation of an Ingress or IngressClass names this process; without one it is for <c>default</c>.</summary>
    public static bool IsForId(Resource resource, string ambassadorId) =>
        string.Equals(resource.Annotations.GetValueOrDefault(IdAnnotation) ?? AmbassadorIdPolicy.DefaultId, ambassadorId, StringComparison.Ordinal);

    /// <summary>Whether an Ingress is for this gateway.</summary>
    /// <param name="ingress">The Ingress.</param>
    /// <param name="classes">The names of the IngressClasses that are ours.</param>
    public static bool IsOurs(IngressResource ingress, IReadOnlySet<string> classes) =>
        string.Equals(ingress.Annotations.GetValueOrDefault(ClassAnnotation), ClassAnnotationValue, StringComparison.OrdinalIgnoreCase)
        || (ingress.IngressClassName is { } name && classes.Contains(name));

    /// <summary>Translates one.</summary>
    /// <param name="ingress">The Ingress.</param>
    /// <param name="service">Finds a Service of the Ingress' namespace, for ports by name.</param>
    public static IngressTranslation Translate(IngressResource ingress, Func<string, ServiceResource?> service)
    {
        var findings = new FindingSink();
        var labels = ingress.Labels;
        var hasTls = ingress.Tls.Count > 0;
        if (hasTls) labels = ValueMap.Create([.. ingress.Labels.Entries, new(SelectorLabel, SelectorValue(ingress))]);

        var mappings = ImmutableArray.CreateBuilder<MappingResource>();
        if (ingress.DefaultBackend is { } backend && ServiceOf(ingress, backend, "spec.defaultBackend", service, findings) is { } target)
        {
            mappings.Add(Mapping(ingress, "default-backend", labels, new MappingSpec { Prefix = "/", Hostname = "*", Service = target }));
        }
        for (var r = 0; r < ingress.Rules.Count; r++)
        {
            var rule = ingress.Rules[r];
            for (var p = 0; p < rule.Paths.Count; p++)
            {
                var field = string.Create(CultureInfo.InvariantCulture, $"spec.rules[{r}].http.paths[{p}]");
                if (SpecOf(ingress, rule, rule.Paths[p], field, hasTls, service, findings) is not { } spec) continue;
                mappings.Add(Mapping(ingress, string.Create(CultureInfo.InvariantCulture, $"{r}-{p}"), labels, spec));
            }
        }
        return new IngressTranslation(HostsOf(ingress), mappings.ToImmutable(), findings.ToImmutable());
    }

    private static string SelectorValue(IngressResource ingress) => $"a10r-ingress-{ingress.Name}-{ingress.Namespace}";

    private static ImmutableArray<HostResource> HostsOf(IngressResource ingress)
    {
        var hosts = ImmutableArray.CreateBuilder<HostResource>();
        for (var t = 0; t < ingress.Tls.Count; t++)
        {
            var tls = ingress.Tls[t];
            if (tls.SecretName is not { Length: > 0 } secret) continue;
            var names = tls.Hosts.Count == 0 ? ["*"] : tls.Hosts;
            for (var h = 0; h < names.Count; h++)
            {
                hosts.Add(new HostResource
                {
                    Key = new ResourceKey(HostResource.KindName, ingress.Namespace, string.Create(CultureInfo.InvariantCulture, $"{ingress.Name}-{t}-{h}")),
                    Labels = ingress.Labels,
                    AnnotationOf = ingress.Key,
                    Text = ingress.Text,
                    Spec = new HostSpec
                    {
                        Hostname = names[h],
                        TlsSecret = new SecretReference(secret, null),
                        MappingSelector = new LabelSelector(ValueMap.Of((SelectorLabel, SelectorValue(ingress))), false),
                        InsecureAction = InsecureAction.Route,
                        AcmeProvider = new AcmeProviderConfig { Authority = "none" },
                    },
                });
            }
        }
        return hosts.ToImmutable();
    }

    private static MappingSpec? SpecOf(
        IngressResource ingress,
        IngressRule rule,
        IngressPath path,
        string field,
        bool hasTls,
        Func<string, ServiceResource?> service,
        FindingSink findings)
    {
        if (path.Backend is not { } backend)
        {
            findings.Error(ingress, FindingCodes.IngressBackendMissing, $"{field}.backend", "the path has no Service to go to and is left out");
            return null;
        }
        if (ServiceOf(ingress, backend, $"{field}.backend", service, findings) is not { } target) return null;
        if (path.Path is "")
        {
            findings.Error(ingress, FindingCodes.IngressPathEmpty, $"{field}.path", "an empty path matches nothing and is left out");
            return null;
        }
        var exact = path.PathType == "Exact";
        var spec = new MappingSpec
        {
            Prefix = path.Path ?? "/",
            PrefixExact = exact,
            Precedence = exact ? 1 : 0,
            Service = target,
        };
        if (rule.Host is not { Length: > 0 } host) return hasTls ? spec : spec with { Hostname = "*" };
        return host.StartsWith("*.", StringComparison.Ordinal)
            ? spec with { Host = HostPattern(host), HostRegex = true }
            : spec with { Hostname = host };
    }

    /// <summary>In an Ingress a wildcard stands for exactly one label.</summary>
    private static string HostPattern(string host) =>
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?" + host[1..].Replace(".", "\\.", StringComparison.Ordinal) + "$";

    private static string? ServiceOf(
        IngressResource ingress, IngressBackend backend, string field, Func<string, ServiceResource?> service, FindingSink findings)
    {
        if (backend.ServiceName is not { Length: > 0 } name)
        {
            findings.Error(ingress, FindingCodes.IngressBackendMissing, field, "only Services are supported as backends; this one is left out");
            return null;
        }
        if (backend.PortNumber is { } number and not 0) return string.Create(CultureInfo.InvariantCulture, $"{name}.{ingress.Namespace}:{number}");
        if (backend.PortName is not { Length: > 0 } portName)
        {
            findings.Error(ingress, FindingCodes.IngressBackendMissing, field, "the backend names no port and is left out");
            return null;
        }
        foreach (var port in service(name)?.Ports ?? ValueList<ServicePort>.Empty)
        {
            if (port.Name == portName) return string.Create(CultureInfo.InvariantCulture, $"{name}.{ingress.Namespace}:{port.Port}");
        }

        // The route stays, so that no wider one takes its requests; its cluster has no endpoint.
        findings.Error(ingress, FindingCodes.IngressPortUnknown, field, $"Service {ingress.Namespace}/{name} has no port named '{portName}'");
        return $"{name}.{ingress.Namespace}:{portName}";
    }

    private static MappingResource Mapping(IngressResource ingress, string suffix, ValueMap<string> labels, MappingSpec spec) => new()
    {
        Key = new ResourceKey(MappingResource.KindName, ingress.Namespace, $"{ingress.Name}-{suffix}"),
        Labels = labels,
        AnnotationOf = ingress.Key,
        Text = ingress.Text,
        Spec = spec,
    };
}
