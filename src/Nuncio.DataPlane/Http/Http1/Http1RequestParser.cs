using System.Text;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>Reads a request head: RFC 9112 sections 3 to 6, with the choices that Envoy makes where the RFC leaves one.</summary>
internal static class Http1RequestParser
{
    /// <summary>Reads a head.</summary>
    /// <param name="head">From the request line up to and including the empty line.</param>
    /// <param name="headers">Gets pseudo-headers and fields.</param>
    /// <param name="scheme"><c>http</c> or <c>https</c>, by the connection.</param>
    /// <param name="options">Limits and choices.</param>
    /// <param name="framing">Gets what the fields say about framing.</param>
    /// <param name="isHttp10">HTTP/1.0.</param>
    /// <returns>Null, or why it is refused; <paramref name="headers"/> then hold what was read before.</returns>
    public static Http1Failure? Parse(
        ReadOnlySpan<byte> head, HeaderMap headers, ReadOnlySpan<byte> scheme, Http1ServerOptions options, out Http1Framing framing, out bool isHttp10)
    {
        framing = Http1FieldParser.Begin();
        isHttp10 = false;
        var space = head.IndexOfAnyExcept(Http1Chars.Token);
        if (space <= 0 || head[space] != ' ')
        {
            return Http1Failure.Malformed;
        }

        var method = head[..space];
        var rest = head[(space + 1)..];
        var targetEnd = rest.IndexOfAny(Http1Chars.NotInTarget);
        if (targetEnd <= 0 || rest[targetEnd] != ' ')
        {
            return Http1Failure.Malformed;
        }

        var target = rest[..targetEnd];
        rest = rest[(targetEnd + 1)..];
        if (rest.Length < 12 || !rest.StartsWith("HTTP/1."u8) || !rest[8..].StartsWith("\r\n"u8) || rest[7] is not ((byte)'1' or (byte)'0'))
        {
            // A well-formed version that is not ours is answered as HTTP/1.0 is.
            return rest.Length >= 12 && rest.StartsWith("HTTP/"u8) && char.IsAsciiDigit((char)rest[5]) && rest[6] == '.' && char.IsAsciiDigit((char)rest[7])
                && rest[8..].StartsWith("\r\n"u8) ? Http1Failure.Http10
                : NamesHttp(rest) ? Http1Failure.BadVersion : Http1Failure.NotHttp;
        }

        isHttp10 = rest[7] == '0';
        if (!options.AllowCustomMethods && !Http1Methods.IsKnown(method))
        {
            return Http1Failure.Malformed;
        }

        headers.Add(KnownHeader.Method, method);
        if (AddTarget(headers, method, target, scheme) is { } badTarget)
        {
            return badTarget;
        }

        return Http1FieldParser.Parse(rest[10..], headers, ref framing, options.MaxHeaderCount, hostAsAuthority: true)
            ?? CheckFraming(headers, method, options, ref framing, isHttp10);
    }

    private static Http1Failure? AddTarget(HeaderMap headers, ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, ReadOnlySpan<byte> scheme)
    {
        if (method.SequenceEqual("CONNECT"u8))
        {
            if (target.ContainsAny((byte)'/', (byte)'?', (byte)'@'))
            {
                return Http1Failure.BadUrl;
            }

            headers.Add(KnownHeader.Authority, target);
            return null;
        }

        if (target[0] == '/' || (target.Length == 1 && target[0] == '*' && method.SequenceEqual("OPTIONS"u8)))
        {
            headers.Add(KnownHeader.Path, target);
            headers.Add(KnownHeader.Scheme, scheme);
            return null;
        }

        return AddAbsolute(headers, target, scheme);
    }

    // absolute-form: its authority replaces Host, and its scheme is the request's (RFC 9112 section 3.2.2).
    private static Http1Failure? AddAbsolute(HeaderMap headers, ReadOnlySpan<byte> target, ReadOnlySpan<byte> connectionScheme)
    {
        var separator = target.IndexOf("://"u8);
        if (separator is not (4 or 5))
        {
            return Http1Failure.BadUrl;
        }

        var isHttps = Ascii.EqualsIgnoreCase(target[..separator], "https"u8);
        if (!isHttps && !Ascii.EqualsIgnoreCase(target[..separator], "http"u8))
        {
            return Http1Failure.BadUrl;
        }

        if (isHttps && !connectionScheme.SequenceEqual("https"u8))
        {
            // Rules for https would otherwise be met by whoever writes the word.
            return Http1Failure.HttpsInCleartext;
        }

        var rest = target[(separator + 3)..];
        var authorityEnd = rest.IndexOfAny((byte)'/', (byte)'?', (byte)'#');
        var authority = authorityEnd < 0 ? rest : rest[..authorityEnd];
        if (authority.IsEmpty || authority.Contains((byte)'@'))
        {
            return Http1Failure.BadUrl;
        }

        var path = authorityEnd < 0 ? "/"u8 : rest[authorityEnd..];
        headers.Add(KnownHeader.Authority, authority);
        headers.Add(KnownHeader.Scheme, isHttps ? "https"u8 : "http"u8);
        if (path[0] == '/')
        {
            headers.Add(KnownHeader.Path, path);
            return null;
        }

        if (path.Length > 1024)
        {
            return Http1Failure.BadUrl;
        }

        Span<byte> rooted = stackalloc byte[path.Length + 1];
        rooted[0] = (byte)'/';
        path.CopyTo(rooted[1..]);
        headers.Add(KnownHeader.Path, rooted);
        return null;
    }

    private static Http1Failure? CheckFraming(HeaderMap headers, ReadOnlySpan<byte> method, Http1ServerOptions options, ref Http1Framing framing, bool isHttp10)
    {
        if (framing.HasTransferEncoding)
        {
            if (isHttp10)
            {
                return Http1Failure.TransferEncodingNotAllowed;
            }

            if (framing.ContentLength >= 0)
            {
                if (!options.AllowChunkedLength)
                {
                    return Http1Failure.LengthAndChunked;
                }

                headers.Remove(KnownHeader.ContentLength);
                framing.ContentLength = -1;
            }
        }

        if (method.SequenceEqual("CONNECT"u8) && (framing.HasTransferEncoding || framing.ContentLength > 0))
        {
            return Http1Failure.ConnectWithBody;
        }

        return options.UnderscoreAction == HeaderUnderscoreAction.Allow ? null : CheckUnderscores(headers, options.UnderscoreAction);
    }

    private static Http1Failure? CheckUnderscores(HeaderMap headers, HeaderUnderscoreAction action)
    {
        while (true)
        {
            ReadOnlySpan<byte> found = default;
            foreach (var header in headers)
            {
                if (header.Name.Contains((byte)'_'))
                {
                    found = header.Name;
                    break;
                }
            }

            if (found.IsEmpty)
            {
                return null;
            }

            if (action == HeaderUnderscoreAction.RejectRequest)
            {
                return Http1Failure.BadUnderscore;
            }

            headers.Remove(found);
        }
    }

    // Whether what follows the target is at least meant as HTTP, however it is spelled.
    private static bool NamesHttp(ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOf((byte)'\r');
        rest = end < 0 ? rest : rest[..end];
        for (var at = 0; at + 5 <= rest.Length; at++)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(rest.Slice(at, 5), "HTTP/"u8))
            {
                return true;
            }
        }

        return false;
    }
}
