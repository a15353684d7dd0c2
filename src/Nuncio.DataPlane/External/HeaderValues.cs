using System.Buffers;

namespace Nuncio.DataPlane.External;

/// <summary>What of a header that a service names may be used: its answers are from outside, too.</summary>
internal static class HeaderValues
{
    private static readonly SearchValues<byte> NameChars = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>A lower-case name (RFC 9110 section 5.6.2).</summary>
    public static bool IsName(ReadOnlySpan<byte> name) => !name.IsEmpty && name.IndexOfAnyExcept(NameChars) < 0;

    /// <summary>A value without line breaks, NUL and other control characters (RFC 9110 section 5.5).</summary>
    public static bool IsValue(ReadOnlySpan<byte> value)
    {
        foreach (var octet in value)
        {
            if (octet is < 0x20 and not (byte)'\t' or 0x7F)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Headers that belong to one connection or say how long a message is: nobody but the proxy sets them.</summary>
    public static bool IsFraming(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => name.SequenceEqual("te"u8),
        6 => name.SequenceEqual("expect"u8),
        7 => name.SequenceEqual("trailer"u8) || name.SequenceEqual("upgrade"u8),
        10 => name.SequenceEqual("connection"u8) || name.SequenceEqual("keep-alive"u8),
        14 => name.SequenceEqual("content-length"u8) || name.SequenceEqual("http2-settings"u8),
        16 => name.SequenceEqual("proxy-connection"u8),
        17 => name.SequenceEqual("transfer-encoding"u8),
        _ => false,
    };
}
