using System.Runtime.CompilerServices;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.XdsServer.Resources;

/// <summary>
/// Wire bytes of resources. What several clients are sent at about the same time is serialised once; what nobody is being sent is not kept, since it
/// would double the memory of a large configuration.
/// </summary>
internal sealed class EncodedResources
{
    private readonly ConditionalWeakTable<IXdsResource, WeakReference<ByteString>> _known = [];

    /// <summary>The resource as responses carry it.</summary>
    public Any Encode(XdsResourceType type, IXdsResource resource) => new() { TypeUrl = type.TypeUrl, Value = Bytes(resource) };

    /// <summary>What is left of a resource for an older Envoy.</summary>
    public static Any Encode(XdsResourceType type, FieldReduction.Reduced reduced) =>
        new() { TypeUrl = type.TypeUrl, Value = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(reduced.Message)) };

    private ByteString Bytes(IXdsResource resource)
    {
        if (_known.TryGetValue(resource, out var reference) && reference.TryGetTarget(out var known)) return known;
        var bytes = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(resource.Message));
        _known.AddOrUpdate(resource, new WeakReference<ByteString>(bytes));
        return bytes;
    }
}
