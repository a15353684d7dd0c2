using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Snapshots;

namespace Nuncio.CompileTimes;

/// <summary>Resources as a large installation has them: one Listener, one Host, and Mappings to a tenth as many services.</summary>
internal static class SyntheticSnapshot
{
    public static ResourceSnapshot Create(int mappings) => new()
    {
        Revision = 1,
        Listeners =
        [
            new ListenerResource
            {
                Key = new ResourceKey(ListenerResource.KindName, "default", "http"),
                Spec = new ListenerSpec
                {
                    Port = 8080,
                    Protocol = ListenerProtocol.Http,
                    SecurityModel = SecurityModel.Xfp,
                    HostBinding = new HostBinding(NamespaceSelection.All, null),
                },
            },
        ],
        Hosts =
        [
            new HostResource
            {
                Key = new ResourceKey(HostResource.KindName, "default", "everywhere"),
                Spec = new HostSpec { Hostname = "*", InsecureAction = InsecureAction.Route },
            },
        ],
        Mappings = [.. Enumerable.Range(0, mappings).Select(i => Mapping(i, $"service-{i / 10}", 3000))],
    };

    /// <summary>The next snapshot: one Mapping has another timeout, every other resource is the same object.</summary>
    public static ResourceSnapshot Change(ResourceSnapshot snapshot, int mapping, int round) => snapshot with
    {
        Revision = snapshot.Revision + 1,
        Mappings = snapshot.Mappings.SetItem(mapping, Mapping(mapping, snapshot.Mappings[mapping].Spec.Service, 4000 + round)),
    };

    private static MappingResource Mapping(int i, string service, long timeout) => new()
    {
        Key = new ResourceKey(MappingResource.KindName, "default", $"mapping-{i:D6}"),
        Spec = new MappingSpec
        {
            Hostname = "*",
            Prefix = $"/route-{i:D6}/",
            Service = service,
            TimeoutMs = timeout,
        },
    };
}
