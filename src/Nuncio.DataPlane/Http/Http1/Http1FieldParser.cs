using System.Text;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>
/// Reads header sections (and trailers) as RFC 9112 section 5 has them and refuses whatever two readers could take in two ways: obs-fold, space before
/// the colon, control characters, bare CR or LF, repeated framing fields.
/// </summary>
internal static class Http1FieldParser
{
    /// <summary>
    /// Reads fields up to and including the empty line that ends them; <paramref name="section"/> ends with that line.
    /// </summary>
    /// <param name="section">From the first field on.</param>
    /// <param name="headers">Gets the fields; Host becomes <c>:authority</c> when <paramref name="hostAsAuthority"/>.</param>
    /// <param name="framing">Gets what the fields say about framing; start with <see cref="Begin"/>.</param>
    /// <param name="maxCount">How many fields are allowed.</param>
    /// <param name="hostAsAuthority">True for requests.</param>
    /// <returns>Null, or why not.</returns>
    public static Http1Failure? Parse(ReadOnlySpan<byte> section, HeaderMap headers, ref Http1Framing framing, int maxCount, bool hostAsAuthority)
    {
        var count = 0;
        while (true)
        {
            if (section[0] == '\r')
            {
                // The caller found the empty line, so a CR here is that of CR LF.
                return section.Length == 2 ? null : Http1Failure.Malformed;
            }

            var colon = section.IndexOfAnyExcept(Http1Chars.Token);
            if (colon <= 0 || section[colon] != ':')
            {
                return Http1Failure.Malformed;
            }

            var rest = section[(colon + 1)..];
            var end = rest.IndexOfAny(Http1Chars.NotInValue);
            if (end < 0 || rest[end] != '\r' || rest[end + 1] != '\n')
            {
                return Http1Failure.Malformed;
            }

            if (++count > maxCount)
            {
                return Http1Failure.TooManyHeaders;
            }

            headers.Spelling?.Add(section[..colon]);
            var failure = Add(headers, section[..colon], Trim(rest[..end]), ref framing, hostAsAuthority);
            if (failure is not null)
            {
                return failure;
            }

            section = rest[(end + 2)..];
        }
    }

    /// <summary>Nothing known yet.</summary>
    public static Http1Framing Begin() => new() { ContentLength = -1 };

    /// <summary>Digits only, no sign, no list, at most 18 of them.</summary>
    public static long ParseLength(ReadOnlySpan<byte> value)
    {
        if (value.Length is 0 or > 18)
        {
            return -1;
        }

        long length = 0;
        foreach (var digit in value)
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return -1;
            }

            length = (length * 10) + (digit - '0');
        }

        return length;
    }

    private static Http1Failure? Add(HeaderMap headers, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref Http1Framing framing, bool hostAsAuthority)
    {
        if (hostAsAuthority && name.Length == 4 && Ascii.EqualsIgnoreCase(name, "host"u8))
        {
            if (framing.HasHost)
            {
                return Http1Failure.DuplicateHost;
            }

            framing.HasHost = true;
            if (!headers.Contains(KnownHeader.Authority))
            {
                // An absolute-form target has set it already and wins (RFC 9112 section 3.2.2).
                headers.Add(KnownHeader.Authority, value);
            }

            return null;
        }

        switch (headers.AddLowering(name, value))
        {
            case KnownHeader.ContentLength:
                if (framing.ContentLength >= 0 || (framing.ContentLength = ParseLength(value)) < 0)
                {
                    return Http1Failure.BadContentLength;
                }

                break;
            case KnownHeader.TransferEncoding:
                if (framing.HasTransferEncoding || !Ascii.EqualsIgnoreCase(value, "chunked"u8))
                {
                    return Http1Failure.BadTransferEncoding;
                }

                framing.HasTransferEncoding = framing.Chunked = true;
                break;
            case KnownHeader.Connection:
                ReadConnection(value, ref framing);
                break;
            case KnownHeader.Upgrade:
                framing.HasUpgrade = true;
                break;
            case KnownHeader.Expect:
                framing.ExpectContinue = Ascii.EqualsIgnoreCase(value, "100-continue"u8);
                break;
            default:
                break;
        }

        return null;
    }

    private static void ReadConnection(ReadOnlySpan<byte> value, ref Http1Framing framing)
    {
        while (true)
        {
            var comma = value.IndexOf((byte)',');
            var token = Trim(comma < 0 ? value : value[..comma]);
            framing.ConnectionClose |= Ascii.EqualsIgnoreCase(token, "close"u8);
            framing.ConnectionKeepAlive |= Ascii.EqualsIgnoreCase(token, "keep-alive"u8);
            framing.ConnectionUpgrade |= Ascii.EqualsIgnoreCase(token, "upgrade"u8);
            if (comma < 0)
            {
                return;
            }

            value = value[(comma + 1)..];
        }
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value)
    {
        var start = 0;
        while (start < value.Length && value[start] is (byte)' ' or (byte)'\t')
        {
            start++;
        }

        var end = value.Length;
        while (end > start && value[end - 1] is (byte)' ' or (byte)'\t')
        {
            end--;
        }

        return value[start..end];
    }
}
