using System.Text;

namespace Nuncio.DataPlane.Http.Http3.Qpack;

/// <summary>The 99 entries that both sides know from the start (RFC 9204 appendix A). Indexes count from 0.</summary>
internal static class QpackStaticTable
{
    private static readonly (string Name, string Value)[] Texts =
    [
        (":authority", ""), (":path", "/"), ("age", "0"), ("content-disposition", ""), ("content-length", "0"), ("cookie", ""), ("date", ""), ("etag", ""),
        ("if-modified-since", ""), ("if-none-match", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("referer", ""), ("set-cookie", ""),
        (":method", "CONNECT"), (":method", "DELETE"), (":method", "GET"), (":method", "HEAD"), (":method", "OPTIONS"), (":method", "POST"),
        (":method", "PUT"), (":scheme", "http"), (":scheme", "https"), (":status", "103"), (":status", "200"), (":status", "304"), (":status", "404"),
        (":status", "503"), ("accept", "*/*"), ("accept", "application/dns-message"), ("accept-encoding", "gzip, deflate, br"), ("accept-ranges", "bytes"),
        ("access-control-allow-headers", "cache-control"), ("access-control-allow-headers", "content-type"), ("access-control-allow-origin", "*"),
        ("cache-control", "max-age=0"), ("cache-control", "max-age=2592000"), ("cache-control", "max-age=604800"), ("cache-control", "no-cache"),
        ("cache-control", "no-store"), ("cache-control", "public, max-age=31536000"), ("content-encoding", "br"), ("content-encoding", "gzip"),
        ("content-type", "application/dns-message"), ("content-type", "application/javascript"), ("content-type", "application/json"),
        ("content-type", "application/x-www-form-urlencoded"), ("content-type", "image/gif"), ("content-type", "image/jpeg"), ("content-type", "image/png"),
        ("content-type", "text/css"), ("content-type", "text/html; charset=utf-8"), ("content-type", "text/plain"),
        ("content-type", "text/plain;charset=utf-8"), ("range", "bytes=0-"), ("strict-transport-security", "max-age=31536000"),
        ("strict-transport-security", "max-age=31536000; includesubdomains"),
        ("strict-transport-security", "max-age=31536000; includesubdomains; preload"), ("vary", "accept-encoding"), ("vary", "origin"),
        ("x-content-type-options", "nosniff"), ("x-xss-protection", "1; mode=block"), (":status", "100"), (":status", "204"), (":status", "206"),
        (":status", "302"), (":status", "400"), (":status", "403"), (":status", "421"), (":status", "425"), (":status", "500"), ("accept-language", ""),
        ("access-control-allow-credentials", "FALSE"), ("access-control-allow-credentials", "TRUE"), ("access-control-allow-headers", "*"),
        ("access-control-allow-methods", "get"), ("access-control-allow-methods", "get, post, options"), ("access-control-allow-methods", "options"),
        ("access-control-expose-headers", "content-length"), ("access-control-request-headers", "content-type"), ("access-control-request-method", "get"),
        ("access-control-request-method", "post"), ("alt-svc", "clear"), ("authorization", ""),
        ("content-security-policy", "script-src 'none'; object-src 'none'; base-uri 'none'"), ("early-data", "1"), ("expect-ct", ""), ("forwarded", ""),
        ("if-range", ""), ("origin", ""), ("purpose", "prefetch"), ("server", ""), ("timing-allow-origin", "*"), ("upgrade-insecure-requests", "1"),
        ("user-agent", ""), ("x-forwarded-for", ""), ("x-frame-options", "deny"), ("x-frame-options", "sameorigin"),
    ];

    private static readonly Entry[] Entries = BuildEntries();
    private static readonly NamedEntries[][] ByNameLength = BuildByNameLength();

    /// <summary>How many there are.</summary>
    public static int Count => Entries.Length;

    /// <summary>The entry of an index below <see cref="Count"/>.</summary>
    public static ref readonly Entry At(int index) => ref Entries[index];

    /// <summary>The index of an entry of that name, or -1.</summary>
    /// <param name="name">Lower-case.</param>
    /// <param name="value">The value that the entry should have.</param>
    /// <param name="hasValue">It has that value.</param>
    public static int Find(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, out bool hasValue)
    {
        hasValue = false;
        if (name.Length >= ByNameLength.Length)
        {
            return -1;
        }

        foreach (var named in ByNameLength[name.Length])
        {
            if (name.SequenceEqual(named.Name))
            {
                foreach (var index in named.Indexes)
                {
                    if (value.SequenceEqual(Entries[index].Value))
                    {
                        hasValue = true;
                        return index;
                    }
                }

                return named.Indexes[0];
            }
        }

        return -1;
    }

    private static Entry[] BuildEntries() => Array.ConvertAll(Texts, static text =>
    {
        var name = Encoding.ASCII.GetBytes(text.Name);
        return new Entry(name, Encoding.ASCII.GetBytes(text.Value), KnownHeaders.Find(name));
    });

    private static NamedEntries[][] BuildByNameLength()
    {
        var longest = Texts.Max(static text => text.Name.Length);
        var byLength = new NamedEntries[longest + 1][];
        for (var length = 0; length <= longest; length++)
        {
            byLength[length] =
            [
                .. Enumerable.Range(0, Texts.Length).Where(index => Texts[index].Name.Length == length).GroupBy(static index => Texts[index].Name)
                    .Select(static group => new NamedEntries(Encoding.ASCII.GetBytes(group.Key), [.. group])),
            ];
        }

        return byLength;
    }

    /// <summary>One header.</summary>
    internal readonly struct Entry(byte[] name, byte[] value, KnownHeader known)
    {
        public byte[] Name { get; } = name;

        public byte[] Value { get; } = value;

        public KnownHeader Known { get; } = known;
    }

    private readonly record struct NamedEntries(byte[] Name, int[] Indexes);
}
