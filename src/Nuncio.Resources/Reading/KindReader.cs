using System.Collections.Frozen;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Core;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Modules;
using Nuncio.Resources.Reading.Conversion;
using Nuncio.Resources.Reading.Kinds;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading;

/// <summary>How one kind is read. <see cref="All"/> is the list of kinds that are.</summary>
internal sealed class KindReader
{
    private const string AmbassadorGroup = "getambassador.io";
    private const string CurrentVersion = "v3alpha1";

    private static readonly KindReader[] All =
    [
        Ambassador(MappingResource.KindName, static (r, key) => new MappingResource { Key = key, Spec = MappingReader.Mapping(r) }),
        Ambassador(TcpMappingResource.KindName, static (r, key) => new TcpMappingResource { Key = key, Spec = MappingReader.TcpMapping(r) }),
        Ambassador(HostResource.KindName, static (r, key) => new HostResource { Key = key, Spec = HostReader.Host(r) }),
        Ambassador(ListenerResource.KindName, static (r, key) => new ListenerResource { Key = key, Spec = HostReader.Listener(r) }, hasLegacyVersions: false),
        Ambassador(ModuleResource.KindName, ReadModule),
        Ambassador(TlsContextResource.KindName, static (r, key) => new TlsContextResource { Key = key, Spec = HostReader.TlsContext(r) }),
        Ambassador(AuthServiceResource.KindName, static (r, key) => new AuthServiceResource { Key = key, Spec = ServiceKindsReader.AuthService(r) }),
        Ambassador(
            RateLimitServiceResource.KindName, static (r, key) => new RateLimitServiceResource { Key = key, Spec = ServiceKindsReader.RateLimitService(r) }),
        Ambassador(LogServiceResource.KindName, static (r, key) => new LogServiceResource { Key = key, Spec = ServiceKindsReader.LogService(r) }),
        Ambassador(TracingServiceResource.KindName, static (r, key) => new TracingServiceResource { Key = key, Spec = ServiceKindsReader.TracingService(r) }),
        Ambassador(KubernetesServiceResolverResource.KindName, static (_, key) => new KubernetesServiceResolverResource { Key = key }),
        Ambassador(KubernetesEndpointResolverResource.KindName, static (_, key) => new KubernetesEndpointResolverResource { Key = key }),
        Ambassador(
            ConsulResolverResource.KindName,
            static (r, key) => new ConsulResolverResource { Key = key, Address = r.Text("address"), Datacenter = r.Text("datacenter") }),
        Ambassador(DevPortalResource.KindName, static (r, key) => new DevPortalResource { Key = key, Spec = ServiceKindsReader.DevPortal(r) }),
        Core("networking.k8s.io", IngressResource.KindName, CoreKindsReader.Ingress, carriesAnnotations: true),
        Core("extensions", IngressResource.KindName, CoreKindsReader.Ingress, carriesAnnotations: true),
        Core("networking.k8s.io", IngressClassResource.KindName, CoreKindsReader.IngressClass, isClusterScoped: true),
        Core("", ServiceResource.KindName, CoreKindsReader.Service, carriesAnnotations: true),
        Core("", EndpointsResource.KindName, CoreKindsReader.Endpoints),
        Core("discovery.k8s.io", EndpointSliceResource.KindName, CoreKindsReader.EndpointSlice),
        Core("", SecretResource.KindName, CoreKindsReader.Secret),
        Core("", ConfigMapResource.KindName, CoreKindsReader.ConfigMap),
        Core("", NamespaceResource.KindName, static (_, key) => new NamespaceResource { Key = key }, isClusterScoped: true),
    ];

    private static readonly FrozenDictionary<(string Group, string Kind), KindReader> ByName =
        All.ToFrozenDictionary(reader => (reader.Group, reader.Kind));

    private readonly Func<ObjectReader, ResourceKey, Resource> _read;
    private readonly bool _hasLegacyVersions;

    private KindReader(string group, string kind, Func<ObjectReader, ResourceKey, Resource> read, bool hasSchema, bool hasLegacyVersions)
    {
        Group = group;
        Kind = kind;
        _read = read;
        HasSchema = hasSchema;
        _hasLegacyVersions = hasLegacyVersions;
    }

    public string Group { get; }

    public string Kind { get; }

    /// <summary>Whether the kind is of getambassador.io: all its fields are known.</summary>
    public bool HasSchema { get; }

    /// <summary>Whether its objects may hold others in an annotation.</summary>
    public bool CarriesAnnotations { get; private init; }

    public bool IsClusterScoped { get; private init; }

    public string? CurrentApiVersion => HasSchema ? $"{AmbassadorGroup}/{CurrentVersion}" : null;

    /// <summary>The kind of the same group that was probably meant.</summary>
    public static string? Suggest(string group, string kind) =>
        NameSuggestion.For(kind, All.Where(reader => reader.Group == group).Select(reader => reader.Kind));

    public static KindReader? Find(string group, string kind) => ByName.GetValueOrDefault((group, kind));

    public bool IsServed(string version) => !HasSchema || version == CurrentVersion || IsLegacy(version);

    public bool IsLegacy(string version) => HasSchema && _hasLegacyVersions && version is "v1" or "v2";

    /// <summary>The ids of an object that is invalid, as far as they can be read.</summary>
    public static ValueList<string>? LenientId(MapNode map) => (map.Find("spec") as MapNode)?.Find("ambassador_id") switch
    {
        ScalarNode { Kind: ScalarKind.Text } id => [id.Text],
        ListNode list => list.Items.OfType<ScalarNode>().Select(item => item.Text).ToValueList(),
        _ => null,
    };

    /// <summary>Whether an object that is invalid says <c>failure_mode_deny: true</c>, as far as it can be read.</summary>
    public static bool LenientDeny(MapNode map) => (map.Find("spec") as MapNode)?.Find("failure_mode_deny") is ScalarNode { Text: "true" };

    public Resource? Read(MapNode map, ObjectHeader header, ReadingScope scope, ReadingOptions options)
    {
        if (!HasSchema)
            return _read(ObjectReader.Root(map, scope, ""), header.Key);

        var root = ObjectReader.Root(map, scope, "");
        // "spec:" with nothing after it is an empty one, as Kubernetes and Emissary take it.
        var specNode = map.Find("spec") is { } written and not ScalarNode { Kind: ScalarKind.Null } ? written : NodeFactory.Map(map, []);
        if (specNode is not MapNode spec)
        {
            root.WrongType(specNode, "spec", "an object");
            return null;
        }

        if (IsLegacy(header.Version))
            spec = LegacyConversion.Convert(Kind, spec);
        var reader = ObjectReader.Root(spec, scope, "spec");
        var id = reader.TextOrTextList("ambassador_id");
        var resource = (AmbassadorResource)_read(reader, header.Key) with { AmbassadorId = id };
        reader.Finish();
        return resource is ConsulResolverResource { Address: { } address } consul
            ? consul with { Address = EnvironmentReferences.Expand(address, options.Environment) }
            : resource;
    }

    private static KindReader Ambassador(string kind, Func<ObjectReader, ResourceKey, AmbassadorResource> read, bool hasLegacyVersions = true) =>
        new(AmbassadorGroup, kind, read, hasSchema: true, hasLegacyVersions);

    private static KindReader Core(
        string group, string kind, Func<ObjectReader, ResourceKey, Resource> read, bool carriesAnnotations = false, bool isClusterScoped = false) =>
        new(group, kind, read, hasSchema: false, hasLegacyVersions: false) { CarriesAnnotations = carriesAnnotations, IsClusterScoped = isClusterScoped };

    private static ModuleResource ReadModule(ObjectReader r, ResourceKey key)
    {
        if (!r.Has("config"))
            r.Missing("config");
        // The configuration has no schema: a null in it is as good as nothing.
        r.Scope.NullIsAbsent = true;
        return key.Name switch
        {
            "ambassador" => new ModuleResource { Key = key, Ambassador = r.Object("config", ModuleReader.Ambassador) ?? AmbassadorModuleConfig.Empty },
            "tls" => new ModuleResource { Key = key, Tls = r.Object("config", ModuleReader.Tls) },
            _ => Untyped(r, key),
        };
    }

    private static ModuleResource Untyped(ObjectReader r, ResourceKey key)
    {
        r.Ignore("config");
        return new ModuleResource { Key = key };
    }
}
