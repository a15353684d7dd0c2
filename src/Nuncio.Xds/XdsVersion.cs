using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;

namespace Nuncio.Xds;

/// <summary>
/// The content version of one resource: equal messages have equal versions, whatever run or machine made them.
/// Consumers compare versions to find what changed, so an equal version promises equal bytes.
/// </summary>
/// <param name="High">First half of the 128-bit content hash.</param>
/// <param name="Low">Second half of the 128-bit content hash.</param>
public readonly record struct XdsVersion(ulong High, ulong Low)
{
    /// <summary>The version of a message, from its deterministic bytes.</summary>
    public static XdsVersion Of(IMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Of(XdsBytes.Serialize(message));
    }

    /// <summary>The version of bytes that already identify the content.</summary>
    public static XdsVersion Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return new XdsVersion(BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]));
    }

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string text, out XdsVersion version)
    {
        ArgumentNullException.ThrowIfNull(text);
        version = default;
        if (text.Length != 32
            || !ulong.TryParse(text.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !ulong.TryParse(text.AsSpan(16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
        {
            return false;
        }

        version = new XdsVersion(high, low);
        return true;
    }

    /// <summary>The form that xDS carries in <c>version_info</c>: 32 lower-case hexadecimal digits.</summary>
    public override string ToString() => $"{High:x16}{Low:x16}";
}
