using System.Text;

namespace Nuncio.DataPlane.Http.Http2.Hpack;

/// <summary>The 61 entries that both sides know from the start (RFC 7541 appendix A). Indexes count from 1.</summary>
internal static class HpackStaticTable
{
    /// <summary>How many there are; dynamic entries are numbered from one above.</summary>
    public const int Count = 61;

    private static readonly (string Name, string Value)[] Texts =
    [
        (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"),
        (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"),
        ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
        ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""), ("content-disposition", ""),
        ("content-encoding", ""), ("content-language", ""), ("content-length", ""), ("content-location", ""), ("content-range", ""), ("content-type", ""),
        ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
        ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""),
        ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""),
        ("set-cookie", ""), ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
        ("www-authenticate", ""),
    ];

    private static readonly Entry[] Entries = BuildEntries();
    private static readonly byte[] IndexOfKnown = BuildIndexOfKnown();
    private static readonly (byte[] Name, byte Index)[][] UnknownByLength = BuildUnknownByLength();

    /// <summary>The entry of an index from 1 to <see cref="Count"/>.</summary>
    public static ref readonly Entry At(int index) => ref Entries[index - 1];

    /// <summary>The first entry with that name, or 0.</summary>
    public static int FindName(KnownHeader known, ReadOnlySpan<byte> name)
    {
        if (known != KnownHeader.None)
        {
            return IndexOfKnown[(int)known];
        }

        if (name.Length >= UnknownByLength.Length)
        {
            return 0;
        }

        foreach (var (candidate, index) in UnknownByLength[name.Length])
        {
            if (name.SequenceEqual(candidate))
            {
                return index;
            }
        }

        return 0;
    }

    /// <summary>The entry that has exactly that value, or 0.</summary>
    /// <param name="nameIndex">From <see cref="FindName"/>, not 0.</param>
    /// <param name="value">The value.</param>
    public static int FindValue(int nameIndex, ReadOnlySpan<byte> value)
    {
        // Only these names have a value: two methods, paths and schemes, seven statuses, one accept-encoding.
        var last = nameIndex switch
        {
            2 => 3,
            4 => 5,
            6 => 7,
            8 => 14,
            16 => 16,
            _ => 0,
        };
        for (var index = nameIndex; index <= last; index++)
        {
            if (value.SequenceEqual(Entries[index - 1].Value))
            {
                return index;
            }
        }

        return 0;
    }

    private static Entry[] BuildEntries()
    {
        var entries = new Entry[Count];
        for (var i = 0; i < Count; i++)
        {
            var name = Encoding.ASCII.GetBytes(Texts[i].Name);
            entries[i] = new Entry(name, Encoding.ASCII.GetBytes(Texts[i].Value), KnownHeaders.Find(name));
        }

        return entries;
    }

    private static byte[] BuildIndexOfKnown()
    {
        var indexes = new byte[(int)KnownHeader.Count];
        for (var i = Count; i >= 1; i--)
        {
            indexes[(int)Entries[i - 1].Known] = (byte)i;
        }

        indexes[(int)KnownHeader.None] = 0;
        return indexes;
    }

    private static (byte[] Name, byte Index)[][] BuildUnknownByLength()
    {
        var lists = new List<(byte[] Name, byte Index)>[32];
        for (var i = 0; i < lists.Length; i++)
        {
            lists[i] = [];
        }

        for (var i = 1; i <= Count; i++)
        {
            ref readonly var entry = ref Entries[i - 1];
            if (entry.Known == KnownHeader.None)
            {
                lists[entry.Name.Length].Add((entry.Name, (byte)i));
            }
        }

        return Array.ConvertAll(lists, list => list.ToArray());
    }

    /// <summary>One header.</summary>
    internal readonly struct Entry(byte[] name, byte[] value, KnownHeader known)
    {
        public byte[] Name { get; } = name;

        public byte[] Value { get; } = value;

        public KnownHeader Known { get; } = known;
    }
}
