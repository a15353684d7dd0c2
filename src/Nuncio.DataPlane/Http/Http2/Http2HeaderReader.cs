using System.Buffers;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>What kind of header block is read, which decides the pseudo-headers that it may have.</summary>
internal enum Http2BlockKind : byte
{
    Request,
    Response,
    Trailers,
}

/// <summary>What a header block was.</summary>
internal enum Http2BlockOutcome : byte
{
    Valid,

    /// <summary>It breaks the rules of RFC 9113 section 8 for messages.</summary>
    Malformed,

    /// <summary>It is over the limits on bytes or count.</summary>
    TooLarge,

    /// <summary>It is valid, but configuration forbids it: a name with an underscore.</summary>
    Refused,
}

/// <summary>
/// Takes the headers of one block as they are decoded, puts them into a map and checks what RFC 9113 section 8 demands of a message. What is wrong is
/// remembered, not stored, so that the rest of the block can still be decoded for the sake of the table.
/// </summary>
internal sealed class Http2HeaderReader
{
    private static readonly SearchValues<byte> NameBytes = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"u8);
    private static readonly SearchValues<byte> MethodBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    private static readonly SearchValues<byte> ForbiddenInValue = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127]);

    private static readonly SearchValues<byte> ForbiddenInAuthority = SearchValues.Create(" \t/?#@"u8);

    private readonly int _maxBytes;
    private readonly int _maxCount;
    private readonly HeaderUnderscoreAction _underscores;
    private readonly bool _isHostBound;
    private HeaderMap? _map;
    private Http2BlockKind _kind;
    private int _pseudo;
    private int _cookies;
    private int _bytes;
    private int _count;
    private bool _regularSeen;

    /// <summary>A reader with limits on the bytes of names and values, and on the count.</summary>
    /// <param name="maxBytes">The most bytes.</param>
    /// <param name="maxCount">The most headers.</param>
    /// <param name="underscores">What becomes of a request with a name that has one.</param>
    /// <param name="isHostBound">Host beside :authority must say the same (RFC 9114 section 4.3.1); else it gives way to it.</param>
    public Http2HeaderReader(
        int maxBytes, int maxCount, HeaderUnderscoreAction underscores = HeaderUnderscoreAction.Allow, bool isHostBound = false)
    {
        _isHostBound = isHostBound;
        _underscores = underscores;
        _maxBytes = maxBytes;
        _maxCount = maxCount;
    }

    /// <summary>The outcome so far.</summary>
    public Http2BlockOutcome Outcome { get; private set; }

    /// <summary>Starts a block that goes into <paramref name="map"/>, or nowhere when it is null.</summary>
    public void Start(HeaderMap? map, Http2BlockKind kind)
    {
        _map = map;
        _kind = kind;
        _pseudo = _cookies = _bytes = _count = 0;
        _regularSeen = false;
        Outcome = Http2BlockOutcome.Valid;
    }

    /// <summary>Takes the next header.</summary>
    public void OnHeader(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (_map is null || Outcome != Http2BlockOutcome.Valid)
        {
            return;
        }

        _bytes += name.Length + value.Length;
        if (_bytes > _maxBytes || ++_count > _maxCount)
        {
            Outcome = Http2BlockOutcome.TooLarge;
            return;
        }

        if (known == KnownHeader.None && (name.IsEmpty || name.ContainsAnyExcept(NameBytes)))
        {
            // Upper case, an unknown pseudo-header, or no token.
            Outcome = Http2BlockOutcome.Malformed;
            return;
        }

        if (_underscores != HeaderUnderscoreAction.Allow && known == KnownHeader.None && _kind == Http2BlockKind.Request && name.Contains((byte)'_'))
        {
            Outcome = _underscores == HeaderUnderscoreAction.RejectRequest ? Http2BlockOutcome.Refused : Http2BlockOutcome.Valid;
            return;
        }

        if (value.ContainsAny(ForbiddenInValue))
        {
            Outcome = Http2BlockOutcome.Malformed;
            return;
        }

        if (known is > KnownHeader.None and <= KnownHeader.Protocol)
        {
            OnPseudoHeader(_map, known, value);
            return;
        }

        _regularSeen = true;
        switch (known)
        {
            case KnownHeader.Connection or KnownHeader.KeepAlive or KnownHeader.ProxyConnection or KnownHeader.TransferEncoding or KnownHeader.Upgrade:
            case KnownHeader.Te when !System.Text.Ascii.EqualsIgnoreCase(value, "trailers"u8):
            case KnownHeader.ContentLength when _map.Contains(KnownHeader.ContentLength) || !IsLength(value):
                Outcome = Http2BlockOutcome.Malformed;
                return;
            case KnownHeader.Cookie:
                _cookies++;
                break;
            case KnownHeader.Host when _map.Contains(KnownHeader.Host):
                Outcome = Http2BlockOutcome.Malformed;
                return;
        }

        // Whitespace around a value means nothing, and would be read differently by a next hop.
        value = value.Trim(" \t"u8);
        if (known == KnownHeader.None)
        {
            _map.Add(name, value);
        }
        else
        {
            _map.Add(known, value);
        }
    }

    /// <summary>Checks the block as a whole.</summary>
    /// <param name="extendedConnectAllowed">Whether <c>:protocol</c> was announced by us.</param>
    public Http2BlockOutcome Finish(bool extendedConnectAllowed)
    {
        if (_map is null || Outcome != Http2BlockOutcome.Valid)
        {
            return Outcome;
        }

        if (_kind == Http2BlockKind.Request)
        {
            Outcome = CheckRequest(_map, extendedConnectAllowed, _isHostBound);
        }
        else if (_kind == Http2BlockKind.Response && !IsStatus(_map.Get(KnownHeader.Status)))
        {
            Outcome = Http2BlockOutcome.Malformed;
        }
        else if (_kind == Http2BlockKind.Trailers && (_map.Contains(KnownHeader.ContentLength) || _map.Contains(KnownHeader.Host)))
        {
            // Framing and routing fields are forbidden in trailers (RFC 9110 section 6.5.1), as over HTTP/1.1.
            Outcome = Http2BlockOutcome.Malformed;
        }

        if (_cookies > 1)
        {
            JoinCookies(_map);
        }

        _map = null;
        return Outcome;
    }

    private static bool IsStatus(ReadOnlySpan<byte> status) =>
        status.Length == 3 && status[0] is >= (byte)'1' and <= (byte)'9' && char.IsAsciiDigit((char)status[1]) && char.IsAsciiDigit((char)status[2])
        && !status.SequenceEqual("101"u8);

    private static bool IsLength(ReadOnlySpan<byte> value) => value.Length is > 0 and <= 18 && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    private static Http2BlockOutcome CheckRequest(HeaderMap map, bool extendedConnectAllowed, bool isHostBound)
    {
        var method = map.Get(KnownHeader.Method);
        if (method.IsEmpty || method.ContainsAnyExcept(MethodBytes))
        {
            return Http2BlockOutcome.Malformed;
        }

        // Host stands in for :authority, and never beside it: the next hop must not have a choice (RFC 9113 section 8.3.1). One of them there must be, and
        // neither may be empty.
        if (map.TryGet(KnownHeader.Host, out var host))
        {
            if (host.IsEmpty)
            {
                return Http2BlockOutcome.Malformed;
            }

            if (!map.TryGet(KnownHeader.Authority, out var named))
            {
                map.Set(KnownHeader.Authority, host);
            }
            else if (isHostBound && !System.Text.Ascii.EqualsIgnoreCase(named, host))
            {
                return Http2BlockOutcome.Malformed;
            }

            map.Remove(KnownHeader.Host);
        }

        var authority = map.Get(KnownHeader.Authority);
        if (authority.IsEmpty || authority.ContainsAny(ForbiddenInAuthority))
        {
            return Http2BlockOutcome.Malformed;
        }

        var connect = method.SequenceEqual("CONNECT"u8);
        var extended = map.Contains(KnownHeader.Protocol);
        if (connect && !extended)
        {
            return map.Contains(KnownHeader.Path) || map.Contains(KnownHeader.Scheme) ? Http2BlockOutcome.Malformed : Http2BlockOutcome.Valid;
        }

        if (extended && (!connect || !extendedConnectAllowed || map.Get(KnownHeader.Protocol).IsEmpty))
        {
            return Http2BlockOutcome.Malformed;
        }

        var path = map.Get(KnownHeader.Path);
        var pathValid = !path.IsEmpty && (path[0] == '/' || (path.SequenceEqual("*"u8) && method.SequenceEqual("OPTIONS"u8))) && !path.Contains((byte)' ')
            && !path.Contains((byte)'\t');
        return pathValid && !map.Get(KnownHeader.Scheme).IsEmpty ? Http2BlockOutcome.Valid : Http2BlockOutcome.Malformed;
    }

    // Crumbs of one cookie header (RFC 9113 section 8.2.3): joined, because HTTP/1.1 has one.
    private static void JoinCookies(HeaderMap map)
    {
        var joined = ArrayPool<byte>.Shared.Rent(map.ByteSize + (2 * map.Count));
        var length = 0;
        foreach (var header in map)
        {
            if (header.Known == KnownHeader.Cookie)
            {
                if (length > 0)
                {
                    "; "u8.CopyTo(joined.AsSpan(length));
                    length += 2;
                }

                header.Value.CopyTo(joined.AsSpan(length));
                length += header.Value.Length;
            }
        }

        map.Set(KnownHeader.Cookie, joined.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(joined);
    }

    private void OnPseudoHeader(HeaderMap map, KnownHeader known, ReadOnlySpan<byte> value)
    {
        var allowed = _kind switch
        {
            Http2BlockKind.Request => known != KnownHeader.Status,
            Http2BlockKind.Response => known == KnownHeader.Status,
            _ => false,
        };
        var bit = 1 << (int)known;
        if (!allowed || _regularSeen || (_pseudo & bit) != 0)
        {
            Outcome = Http2BlockOutcome.Malformed;
            return;
        }

        _pseudo |= bit;
        map.Add(known, value);
    }
}
