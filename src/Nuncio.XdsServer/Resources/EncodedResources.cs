using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.XdsServer.Resources;

/// <summary>
/// Wire bytes of resources. What several clients are sent at about the same time is serialised once; what nobody is being sent is not kept, since it
/// would double the memory of a large configuration.
/// </summary>
internal sealed class EncodedResources(TimeProvider time)
{
    // From the time on, so that one that another process sent is another one too.
    private long _offers = time.GetUtcNow().Ticks;

    private readonly ConditionalWeakTable<IXdsResource, WeakReference<ByteString>> _known = [];

    /// <summary>The resource as responses carry it.</summary>
    public Any Encode(XdsResourceType type, IXdsResource resource) => new() { TypeUrl = type.TypeUrl, Value = Bytes(resource) };

    /// <summary>What is left of a resource for an older Envoy.</summary>
    public static Any Encode(XdsResourceType type, FieldReduction.Reduced reduced) =>
        new() { TypeUrl = type.TypeUrl, Value = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(reduced.Message)) };

    /// <summary>A secret as it was never sent before: a line after its PEM, which nobody reads, makes it another one.</summary>
    public Any EncodeAnew(Secret secret)
    {
        var copy = secret.Clone();
        var source = copy.TypeCase switch
        {
            Secret.TypeOneofCase.TlsCertificate => copy.TlsCertificate.CertificateChain,
            Secret.TypeOneofCase.ValidationContext => copy.ValidationContext.TrustedCa,
            _ => null,
        };
        if (source?.SpecifierCase == DataSource.SpecifierOneofCase.InlineBytes)
        {
            var mark = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\n# {Interlocked.Increment(ref _offers)}\n"));
            source.InlineBytes = UnsafeByteOperations.UnsafeWrap((byte[])[.. source.InlineBytes.Span, .. mark]);
        }

        return new Any { TypeUrl = XdsResourceType.Secret.TypeUrl, Value = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(copy)) };
    }

    private ByteString Bytes(IXdsResource resource)
    {
        if (_known.TryGetValue(resource, out var reference) && reference.TryGetTarget(out var known)) return known;
        var bytes = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(resource.Message));
        _known.AddOrUpdate(resource, new WeakReference<ByteString>(bytes));
        return bytes;
    }
}
