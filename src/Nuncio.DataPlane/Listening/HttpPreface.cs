namespace Nuncio.DataPlane.Listening;

/// <summary>What the first bytes of a cleartext connection say.</summary>
internal enum HttpPrefaceOutcome
{
    /// <summary>More bytes are needed.</summary>
    NeedMore,

    /// <summary>The HTTP/2 preface.</summary>
    Http2,

    /// <summary>Something else: HTTP/1, or nonsense that its parser will answer.</summary>
    NotHttp2,
}

/// <summary>Tells HTTP/2 with prior knowledge from HTTP/1 (RFC 9113 section 3.4).</summary>
internal static class HttpPreface
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Looks at the bytes so far.</summary>
    public static HttpPrefaceOutcome Detect(ReadOnlySpan<byte> bytes)
    {
        var common = Math.Min(bytes.Length, Preface.Length);
        return !bytes[..common].SequenceEqual(Preface[..common]) ? HttpPrefaceOutcome.NotHttp2
            : common == Preface.Length ? HttpPrefaceOutcome.Http2
            : HttpPrefaceOutcome.NeedMore;
    }

    /// <summary>
    /// The protocol as Envoy's http_inspector names it for filter_chain_match; null for none that it knows, <paramref name="needMore"/> while unclear.
    /// </summary>
    public static string? Inspect(ReadOnlySpan<byte> bytes, out bool needMore)
    {
        var preface = Detect(bytes);
        needMore = preface == HttpPrefaceOutcome.NeedMore;
        if (preface != HttpPrefaceOutcome.NotHttp2)
        {
            return needMore ? null : "h2c";
        }

        var lineEnd = bytes.IndexOf((byte)'\n');
        if (lineEnd < 0)
        {
            needMore = bytes.Length < 8192;
            return null;
        }

        var line = bytes[..lineEnd].TrimEnd((byte)'\r');
        return line.EndsWith(" HTTP/1.1"u8) ? "http/1.1" : line.EndsWith(" HTTP/1.0"u8) ? "http/1.0" : null;
    }
}
