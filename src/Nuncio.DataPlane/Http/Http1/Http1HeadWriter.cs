using System.Globalization;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>How header names look on the wire of HTTP/1.1.</summary>
public enum Http1HeaderCase : byte
{
    /// <summary>As in HTTP/2.</summary>
    Lower,

    /// <summary>Envoy's <c>proper_case_words</c>: a capital at the start and after every character that is neither letter nor digit.</summary>
    ProperCaseWords,
}

/// <summary>Writes heads and chunk framing.</summary>
internal static class Http1HeadWriter
{
    /// <summary>Writes a request line and fields.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="headers">With pseudo-headers.</param>
    /// <param name="headerCase">The form of names.</param>
    /// <param name="keepConnection">Connection and Upgrade are meant for the peer: an upgrade.</param>
    /// <param name="framing">Framing fields to add, complete with CR LF.</param>
    public static void WriteRequest(Http1Output output, HeaderMap headers, Http1HeaderCase headerCase, bool keepConnection, ReadOnlySpan<byte> framing)
    {
        var method = headers.Get(KnownHeader.Method);
        var authority = headers.TryGet(KnownHeader.Authority, out var name) ? name : headers.Get(KnownHeader.Host);
        var target = method.SequenceEqual("CONNECT"u8) && !headers.Contains(KnownHeader.Path) ? authority : headers.Get(KnownHeader.Path);
        var room = output.Reserve(headers.ByteSize + (headers.Count * 4) + method.Length + target.Length + authority.Length + framing.Length + 64);
        var at = Put(room, 0, method);
        room[at++] = (byte)' ';
        at = Put(room, at, target);
        at = Put(room, at, " HTTP/1.1\r\n"u8);
        if (authority.Length > 0 || headers.Contains(KnownHeader.Authority))
        {
            at = PutField(room, at, "host"u8, authority, headerCase, headers.Spelling, null);
        }

        foreach (var header in headers)
        {
            if (header.IsPseudo || header.Known is KnownHeader.Host or KnownHeader.TransferEncoding
                || (header.Known == KnownHeader.Connection && !keepConnection))
            {
                continue;
            }

            at = PutField(room, at, header.Name, header.Value, headerCase, headers.Spelling, null);
        }

        at = PutFraming(room, at, framing, headerCase);
        at = Put(room, at, "\r\n"u8);
        output.Advance(at);
    }

    /// <summary>Writes a status line and fields.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="status">The status.</param>
    /// <param name="headers">With <c>:status</c>.</param>
    /// <param name="headerCase">The form of names.</param>
    /// <param name="keepConnection">Connection and Upgrade are meant for the peer: 101.</param>
    /// <param name="dropLength">Content-Length is not allowed with this status.</param>
    /// <param name="framing">Framing fields to add, complete with CR LF.</param>
    /// <param name="configured">Spellings that come before those of the message; null for none.</param>
    public static void WriteResponse(
        Http1Output output,
        int status,
        HeaderMap headers,
        Http1HeaderCase headerCase,
        bool keepConnection,
        bool dropLength,
        ReadOnlySpan<byte> framing,
        HeaderSpelling? configured = null)
    {
        var reason = headers.ReasonPhrase ?? Http1ReasonPhrases.Of(status);
        var room = output.Reserve(headers.ByteSize + (headers.Count * 4) + reason.Length + framing.Length + 64);
        var at = Put(room, 0, "HTTP/1.1 "u8);
        room[at++] = (byte)('0' + (status / 100));
        room[at++] = (byte)('0' + (status / 10 % 10));
        room[at++] = (byte)('0' + (status % 10));
        room[at++] = (byte)' ';
        at = Put(room, at, reason);
        at = Put(room, at, "\r\n"u8);
        foreach (var header in headers)
        {
            if (header.IsPseudo || header.Known == KnownHeader.TransferEncoding || (header.Known == KnownHeader.Connection && !keepConnection)
                || (header.Known == KnownHeader.ContentLength && dropLength))
            {
                continue;
            }

            at = PutField(room, at, header.Name, header.Value, headerCase, headers.Spelling, configured);
        }

        at = PutFraming(room, at, framing, headerCase);
        at = Put(room, at, "\r\n"u8);
        output.Advance(at);
    }

    /// <summary>The line before a chunk's data.</summary>
    public static void WriteChunkSize(Http1Output output, int size)
    {
        Span<byte> room = output.Reserve(16);
        size.TryFormat(room, out var digits, "x", CultureInfo.InvariantCulture);
        room[digits] = (byte)'\r';
        room[digits + 1] = (byte)'\n';
        output.Advance(digits + 2);
    }

    /// <summary>The last chunk with trailers, if any.</summary>
    public static void WriteLastChunk(Http1Output output, HeaderMap? trailers, Http1HeaderCase headerCase)
    {
        output.Write("0\r\n"u8);
        if (trailers is not null)
        {
            var room = output.Reserve(trailers.ByteSize + (trailers.Count * 4));
            var at = 0;
            foreach (var header in trailers)
            {
                at = PutField(room, at, header.Name, header.Value, headerCase, trailers.Spelling, null);
            }

            output.Advance(at);
        }

        output.Write("\r\n"u8);
    }

    private static int Put(Span<byte> room, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(room[at..]);
        return at + bytes.Length;
    }

    private static int PutField(
        Span<byte> room, int at, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, Http1HeaderCase headerCase, HeaderSpelling? spelling,
        HeaderSpelling? configured)
    {
        var start = at;
        at = Put(room, at, name);
        if ((configured is not null && configured.TryApply(room[start..at])) || (spelling is not null && spelling.TryApply(room[start..at])))
        {
            // As somebody wants it.
        }
        else if (headerCase == Http1HeaderCase.ProperCaseWords || spelling is { CapitalisesOthers: true })
        {
            Capitalise(room[start..at]);
        }

        room[at++] = (byte)':';
        room[at++] = (byte)' ';
        at = Put(room, at, value);
        room[at++] = (byte)'\r';
        room[at++] = (byte)'\n';
        return at;
    }

    // Framing comes as ready lines in lower case; values there ("chunked", "close") never hold a colon or a new line.
    private static int PutFraming(Span<byte> room, int at, ReadOnlySpan<byte> framing, Http1HeaderCase headerCase)
    {
        if (headerCase == Http1HeaderCase.Lower)
        {
            return Put(room, at, framing);
        }

        while (framing.Length > 0)
        {
            var colon = framing.IndexOf((byte)':');
            var end = framing.IndexOf((byte)'\n') + 1;
            framing[..end].CopyTo(room[at..]);
            Capitalise(room.Slice(at, colon));
            at += end;
            framing = framing[end..];
        }

        return at;
    }

    private static void Capitalise(Span<byte> name)
    {
        var capital = true;
        for (var i = 0; i < name.Length; i++)
        {
            var isLetter = name[i] is >= (byte)'a' and <= (byte)'z';
            if (capital && isLetter)
            {
                name[i] -= 32;
            }

            capital = !isLetter && name[i] is not ((>= (byte)'0' and <= (byte)'9') or (>= (byte)'A' and <= (byte)'Z'));
        }
    }
}
