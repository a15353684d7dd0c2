using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Xds.Bootstrap;
using RuntimeMessage = Envoy.Service.Runtime.V3.Runtime;

namespace Nuncio.XdsServer.Resources;

/// <summary>The one runtime layer of a snapshot, which the bootstrap names; an empty one where the snapshot has none, because Envoy waits for it.</summary>
internal sealed class RuntimeResourceType : XdsResourceType
{
    private static readonly Struct None = new();
    private readonly ConditionalWeakTable<Struct, XdsResource<RuntimeMessage>> _resources = [];

    public override string TypeUrl { get; } = XdsTypeRegistry.TypeUrlPrefix + RuntimeMessage.Descriptor.FullName;

    public override bool HasWildcard => false;

    public override IXdsResource? Find(XdsSnapshot snapshot, string name) => name == AdsBootstrapEmitter.RuntimeResource ? Of(snapshot) : null;

    public override IEnumerable<IXdsResource> All(XdsSnapshot snapshot) => [Of(snapshot)];

    public override object Content(XdsSnapshot snapshot) => snapshot.Runtime ?? None;

    private XdsResource<RuntimeMessage> Of(XdsSnapshot snapshot) => _resources.GetValue(snapshot.Runtime ?? None, static layer =>
        XdsResource<RuntimeMessage>.Create(
            AdsBootstrapEmitter.RuntimeResource, new RuntimeMessage { Name = AdsBootstrapEmitter.RuntimeResource, Layer = layer }));
}
