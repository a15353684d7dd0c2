using Nuncio.Resources.Collections;
using Nuncio.Resources.Core;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading.Kinds;

/// <summary>Reads the Kubernetes kinds. Only fields that matter are read, so unknown ones are no findings.</summary>
internal static class CoreKindsReader
{
    public static IngressResource Ingress(ObjectReader root, ResourceKey key)
    {
        var spec = root.Child("spec");
        return new IngressResource
        {
            Key = key,
            IngressClassName = spec?.Text("ingressClassName"),
            DefaultBackend = spec?.Object("defaultBackend", Backend) ?? spec?.Object("backend", Backend),
            Tls = spec?.ObjectList("tls", static t => new IngressTls(t.TextList("hosts") ?? [], t.Text("secretName"))) ?? [],
            Rules = spec?.ObjectList("rules", static r => new IngressRule(
                r.Text("host"),
                r.Object("http", static h => new { Paths = h.ObjectList("paths", Path) })?.Paths ?? [])) ?? [],
        };
    }

    public static IngressClassResource IngressClass(ObjectReader root, ResourceKey key) =>
        new() { Key = key, Controller = root.Child("spec")?.Text("controller") };

    public static ServiceResource Service(ObjectReader root, ResourceKey key)
    {
        var spec = root.Child("spec");
        return new ServiceResource
        {
            Key = key,
            Type = spec?.Text("type"),
            ClusterIp = spec?.Text("clusterIP"),
            ExternalName = spec?.Text("externalName"),
            Selector = spec?.TextMap("selector") ?? ValueMap<string>.Empty,
            Ports = spec?.ObjectList("ports", ServicePort) ?? [],
        };
    }

    public static EndpointsResource Endpoints(ObjectReader root, ResourceKey key) => new()
    {
        Key = key,
        Subsets = root.ObjectList("subsets", static s => new EndpointSubset(
            Addresses(s, "addresses"), Addresses(s, "notReadyAddresses"), s.ObjectList("ports", EndpointPort) ?? [])) ?? [],
    };

    public static EndpointSliceResource EndpointSlice(ObjectReader root, ResourceKey key) => new()
    {
        Key = key,
        AddressType = root.Text("addressType"),
        Endpoints = root.ObjectList("endpoints", static e => new SliceEndpoint(
            e.TextList("addresses") ?? [],
            e.Object("conditions", static c => new { Ready = c.Boolean("ready") })?.Ready)) ?? [],
        Ports = root.ObjectList("ports", EndpointPort) ?? [],
    };

    public static SecretResource Secret(ObjectReader root, ResourceKey key)
    {
        var data = root.ValueMapOf("data", Base64) ?? ValueMap<SecretBytes>.Empty;
        var text = root.ValueMapOf("stringData", static (owner, node, path) =>
            owner.ToText(node, path) is { } value ? new SecretBytes(System.Text.Encoding.UTF8.GetBytes(value)) : null);
        return new SecretResource
        {
            Key = key,
            Type = root.Text("type"),
            Data = text is null ? data : ValueMap.Create(data.Entries.Concat(text.Entries)),
        };
    }

    public static ConfigMapResource ConfigMap(ObjectReader root, ResourceKey key) =>
        new() { Key = key, Data = root.TextMap("data") ?? ValueMap<string>.Empty };

    private static IngressPath Path(ObjectReader r) => new(r.Text("path"), r.Text("pathType"), r.Object("backend", Backend));

    private static IngressBackend? Backend(ObjectReader r)
    {
        // networking.k8s.io/v1
        if (r.Has("service"))
        {
            return r.Object("service", static s =>
            {
                var port = s.Object("port", static p => new { Number = p.Int32("number"), Name = p.Text("name") });
                return new IngressBackend(s.Text("name"), port?.Number, port?.Name);
            });
        }

        // extensions/v1beta1 and networking.k8s.io/v1beta1
        if (!r.Has("serviceName"))
            return null;
        var (number, name) = IntOrText(r, "servicePort");
        return new IngressBackend(r.Text("serviceName"), number, name);
    }

    private static ServicePort ServicePort(ObjectReader r)
    {
        var (number, name) = IntOrText(r, "targetPort");
        return new ServicePort(r.Text("name"), r.RequiredInt32("port", 1, 65535), number, name, r.Text("protocol"), r.Text("appProtocol"));
    }

    private static EndpointPort EndpointPort(ObjectReader r) => new(r.Text("name"), r.Int32("port", 0, 65535), r.Text("protocol"));

    private static ValueList<string> Addresses(ObjectReader r, string name) => r.ObjectList(name, static a => a.Text("ip")) ?? [];

    private static (int? Number, string? Text) IntOrText(ObjectReader r, string name)
    {
        if (r.Find(name) is not { } node)
            return (null, null);
        if (node is ScalarNode { Kind: ScalarKind.Text } text)
            return (null, text.Text);
        return ((int?)r.ToInteger(node, name, 0, 65535), null);
    }

    private static SecretBytes? Base64(ObjectReader owner, Node node, string path)
    {
        if (node is ScalarNode { Kind: ScalarKind.Null })
            return new SecretBytes(ReadOnlyMemory<byte>.Empty);
        if (owner.ToText(node, path) is not { } text)
            return null;
        var buffer = new byte[text.Length];
        if (Convert.TryFromBase64String(text, buffer, out var length))
            return new SecretBytes(buffer.AsMemory(0, length));
        // The value is a secret: it must not be quoted in the message.
        owner.Report(FindingCodes.ValueNotAllowed, node, path, "must be base64");
        return null;
    }
}
