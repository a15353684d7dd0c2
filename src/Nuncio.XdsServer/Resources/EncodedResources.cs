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

    private ByteString Bytes(IXdsResource resource)
    {
        if (_known.TryGetValue(resource, out var reference) && reference.TryGetTarget(out var known)) return known;
        var bytes = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(resource.Message));
        _known.AddOrUpdate(resource, new WeakReference<ByteString>(bytes));
        return bytes;
    }
}
