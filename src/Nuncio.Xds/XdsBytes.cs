using Google.Protobuf;

namespace Nuncio.Xds;

/// <summary>Wire bytes of messages, the same for the same content: map entries are written in the order of their keys.</summary>
public static class XdsBytes
{
    /// <summary>Serialises deterministically.</summary>
    public static byte[] Serialize(IMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var bytes = new byte[message.CalculateSize()];
        using var output = new CodedOutputStream(bytes) { Deterministic = true };
        message.WriteTo(output);
        output.CheckNoSpaceLeft();
        return bytes;
    }
}
