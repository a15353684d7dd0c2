using System.Text;

namespace Nuncio.Grpc.Framing;

/// <summary>The form of <c>grpc-message</c>: UTF-8 with everything that is not printable ASCII percent-encoded (gRPC's PROTOCOL-HTTP2.md).</summary>
public static class GrpcStatusText
{
    /// <summary>As the header has it.</summary>
    public static string Encode(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0 && !message.Contains('%', StringComparison.Ordinal)) return message;
        var text = new StringBuilder(message.Length + 16);
        foreach (var octet in Encoding.UTF8.GetBytes(message))
        {
            if (octet is >= (byte)' ' and <= (byte)'~' and not (byte)'%') text.Append((char)octet);
            else text.Append('%').Append(octet.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    /// <summary>Reads the header. What is no percent code stays as it is: a text about an error must not become one.</summary>
    public static string Decode(string? value)
    {
        if (string.IsNullOrEmpty(value) || !value.Contains('%', StringComparison.Ordinal)) return value ?? string.Empty;
        var octets = new byte[Encoding.UTF8.GetMaxByteCount(value.Length)];
        var count = 0;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '%' && i + 2 < value.Length && char.IsAsciiHexDigit(value[i + 1]) && char.IsAsciiHexDigit(value[i + 2]))
            {
                octets[count++] = Convert.FromHexString(value.AsSpan(i + 1, 2))[0];
                i += 2;
            }
            else
            {
                count += Encoding.UTF8.GetBytes(value.AsSpan(i, 1), octets.AsSpan(count));
            }
        }

        return Encoding.UTF8.GetString(octets, 0, count);
    }
}
