using System.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>Headers that are for one hop only (RFC 9110 section 7.6.1), treated as Envoy does.</summary>
internal static class ConnectionHeaders
{
    private const int MaxNominated = 10;

    /// <summary>The request asks for an upgrade: <c>Connection: upgrade</c> with an Upgrade header.</summary>
    public static bool IsUpgrade(HeaderMap headers) => headers.Contains(KnownHeader.Upgrade) && HasToken(headers, KnownHeader.Connection, "upgrade"u8);

    /// <summary>
    /// Removes the headers that Connection names. False where it must not be followed: it names headers whose loss would hide where a request
    /// comes from, or too many.
    /// </summary>
    public static bool RemoveNominated(HeaderMap headers)
    {
        if (!headers.Contains(KnownHeader.Connection))
        {
            return true;
        }

        // The usual ones name nothing.
        var only = headers.Get(KnownHeader.Connection);
        if (headers.CountOf("connection"u8) == 1 && IsOption(only))
        {
            return true;
        }

        Span<byte> copy = stackalloc byte[512];
        var used = 0;
        var count = 0;
        foreach (var header in headers)
        {
            if (header.Known == KnownHeader.Connection)
            {
                if (used + header.Value.Length + 1 > copy.Length)
                {
                    return false;
                }

                header.Value.CopyTo(copy[used..]);
                used += header.Value.Length;
                copy[used++] = (byte)',';
            }
        }

        for (var rest = copy[..used]; !rest.IsEmpty;)
        {
            var comma = rest.IndexOf((byte)',');
            var token = rest[..comma].Trim((byte)' ').Trim((byte)'\t');
            rest = rest[(comma + 1)..];
            if (token.IsEmpty)
            {
                continue;
            }

            if (++count >= MaxNominated)
            {
                return false;
            }

            Ascii.ToLowerInPlace(token, out _);
            if (IsOption(token) || token.SequenceEqual("connection"u8))
            {
                continue;
            }

            if (token[0] == (byte)':' || token.SequenceEqual("x-forwarded-for"u8) || token.SequenceEqual("x-forwarded-host"u8)
                || token.SequenceEqual("x-forwarded-proto"u8)
                || token.SequenceEqual("host"u8))
            {
                return false;
            }

            if (!token.SequenceEqual("te"u8))
            {
                headers.Remove(token);
            }
        }

        return true;
    }

    /// <summary>Of <c>te</c> only <c>trailers</c> stays.</summary>
    public static void SanitizeTe(HeaderMap headers)
    {
        if (!headers.Contains(KnownHeader.Te))
        {
            return;
        }

        if (HasToken(headers, KnownHeader.Te, "trailers"u8))
        {
            headers.Set(KnownHeader.Te, "trailers"u8);
        }
        else
        {
            headers.Remove(KnownHeader.Te);
        }
    }

    private static bool IsOption(ReadOnlySpan<byte> token) =>
        Ascii.EqualsIgnoreCase(token, "keep-alive"u8) || Ascii.EqualsIgnoreCase(token, "close"u8) || Ascii.EqualsIgnoreCase(token, "upgrade"u8)
        || Ascii.EqualsIgnoreCase(token, "http2-settings"u8);

    private static bool HasToken(HeaderMap headers, KnownHeader name, ReadOnlySpan<byte> wanted)
    {
        foreach (var header in headers)
        {
            if (header.Known != name)
            {
                continue;
            }

            for (var rest = header.Value; !rest.IsEmpty;)
            {
                var comma = rest.IndexOf((byte)',');
                var token = (comma < 0 ? rest : rest[..comma]).Trim((byte)' ').Trim((byte)'\t');
                rest = comma < 0 ? default : rest[(comma + 1)..];
                if (Ascii.EqualsIgnoreCase(token, wanted))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
