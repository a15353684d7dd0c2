using System.Buffers;
using System.Text;

namespace Nuncio.DataPlane.Http;

/// <summary>
/// Headers in the order they came, names in lower case, all bytes in one buffer of the map's own: adding copies, so nothing here depends on a
/// connection's read buffer, and a map that is cleared and used again makes no garbage. Not thread-safe.
/// </summary>
/// <remarks>
/// Spans handed out are valid until the map is changed. Values are kept as received (any byte but CR, LF and NUL; the codecs check that).
/// </remarks>
public sealed class HeaderMap
{
    private const int InitialBytes = 1024;
    private const int InitialEntries = 32;

    // Taken with the first header: most maps for trailers, and those of replies that never come, stay empty.
    private byte[] _bytes = [];
    private Entry[] _entries = [];
    private readonly short[] _first = new short[(int)KnownHeader.Count];
    private int _used;
    private int _slots;
    private int _count;

    /// <summary>An empty map.</summary>
    public HeaderMap() => Array.Fill(_first, (short)-1);

    /// <summary>How many headers there are, pseudo-headers included.</summary>
    public int Count => _count;

    /// <summary>Bytes of all names and values: what limits on header size count (with <see cref="Count"/> times the framing of the protocol).</summary>
    public int ByteSize { get; private set; }

    /// <summary>Forgets all headers and keeps the buffers.</summary>
    public void Clear()
    {
        Spelling = null;
        ReasonPhrase = null;
        for (var i = 0; i < _slots; i++)
        {
            _first[(int)_entries[i].Known] = -1;
        }

        _used = _slots = _count = ByteSize = 0;
    }

    /// <summary>Adds a header at the end, also where one of that name is there already.</summary>
    /// <param name="name">In lower case.</param>
    /// <param name="value">Its value.</param>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => Append(KnownHeaders.Find(name), name, value);

    /// <summary>Adds a known header at the end.</summary>
    public void Add(KnownHeader header, ReadOnlySpan<byte> value) => Append(header, KnownHeaders.NameOf(header), value);

    /// <summary>What stands behind the status towards HTTP/1.1; null for the words of RFC 9110.</summary>
    public byte[]? ReasonPhrase { get; set; }

    /// <summary>How its names are to be spelled towards HTTP/1.1; null for lower case, or as the connection has it.</summary>
    public HeaderSpelling? Spelling { get; set; }

    /// <summary>Adds a header at the end from the wire of HTTP/1.1: the name's capitals become small letters.</summary>
    /// <returns>Which known header it is, or None.</returns>
    public KnownHeader AddLowering(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (_slots == _entries.Length)
        {
            Compact();
        }

        var start = Reserve(name.Length + value.Length, ref name, ref value);
        var lower = _bytes.AsSpan(start, name.Length);
        Ascii.ToLower(name, lower, out _);
        value.CopyTo(_bytes.AsSpan(start + name.Length));
        var known = KnownHeaders.Find(lower);
        Enter(known, start, name.Length, value.Length);
        return known;
    }

    /// <summary>Replaces all headers of that name by one, in the place of the first.</summary>
    public void Set(KnownHeader header, ReadOnlySpan<byte> value)
    {
        var first = _first[(int)header];
        if (first < 0)
        {
            Append(header, KnownHeaders.NameOf(header), value);
            return;
        }

        Replace(first, value);
        RemoveFrom(first + 1, header, default);
    }

    /// <summary>Replaces all headers of that name by one, in the place of the first.</summary>
    /// <param name="name">In lower case.</param>
    /// <param name="value">The new value.</param>
    public void Set(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var known = KnownHeaders.Find(name);
        if (known != KnownHeader.None)
        {
            Set(known, value);
            return;
        }

        var first = IndexOf(name, 0);
        if (first < 0)
        {
            Append(KnownHeader.None, name, value);
            return;
        }

        Replace(first, value);
        RemoveFrom(first + 1, KnownHeader.None, name);
    }

    /// <summary>Whether there is one.</summary>
    public bool Contains(KnownHeader header) => _first[(int)header] >= 0;

    /// <summary>The first value of a known header.</summary>
    public bool TryGet(KnownHeader header, out ReadOnlySpan<byte> value)
    {
        var index = _first[(int)header];
        if (index < 0)
        {
            value = default;
            return false;
        }

        value = ValueAt(index);
        return true;
    }

    /// <summary>The first value of a known header, or empty.</summary>
    public ReadOnlySpan<byte> Get(KnownHeader header) => TryGet(header, out var value) ? value : default;

    /// <summary>The first value.</summary>
    /// <param name="name">In lower case.</param>
    /// <param name="value">Its value.</param>
    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var known = KnownHeaders.Find(name);
        if (known != KnownHeader.None)
        {
            return TryGet(known, out value);
        }

        var index = IndexOf(name, 0);
        value = index < 0 ? default : ValueAt(index);
        return index >= 0;
    }

    /// <summary>How many headers of that name there are.</summary>
    public int CountOf(ReadOnlySpan<byte> name)
    {
        var found = 0;
        for (var i = IndexOf(name, 0); i >= 0; i = IndexOf(name, i + 1))
        {
            found++;
        }

        return found;
    }

    /// <summary>Removes all of that name.</summary>
    public bool Remove(KnownHeader header)
    {
        var first = _first[(int)header];
        return first >= 0 && RemoveFrom(first, header, default);
    }

    /// <summary>Removes all of that name.</summary>
    /// <param name="name">In lower case.</param>
    public bool Remove(ReadOnlySpan<byte> name)
    {
        var known = KnownHeaders.Find(name);
        return known != KnownHeader.None ? Remove(known) : RemoveFrom(0, KnownHeader.None, name);
    }

    /// <summary>The headers in order.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Adds all headers of another map.</summary>
    public void AddAll(HeaderMap other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach (var header in other)
        {
            Append(header.Known, header.Name, header.Value);
        }
    }

    /// <summary>The status of a response, or 0.</summary>
    public int Status
    {
        get
        {
            var value = Get(KnownHeader.Status);
            return value.Length == 3 ? ((value[0] - '0') * 100) + ((value[1] - '0') * 10) + (value[2] - '0') : 0;
        }

        set
        {
            ReadOnlySpan<byte> digits = [(byte)('0' + (value / 100)), (byte)('0' + (value / 10 % 10)), (byte)('0' + (value % 10))];
            Set(KnownHeader.Status, digits);
        }
    }

    /// <summary>For logs and tests: the first value as text (Latin-1), or null. Allocates.</summary>
    public string? GetText(string name) => TryGet(Encoding.ASCII.GetBytes(name), out var value) ? Encoding.Latin1.GetString(value) : null;

    private void Append(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (_slots == _entries.Length)
        {
            Compact();
        }

        var need = name.Length + value.Length;
        var start = Reserve(need, ref name, ref value);
        name.CopyTo(_bytes.AsSpan(start));
        value.CopyTo(_bytes.AsSpan(start + name.Length));
        Enter(known, start, name.Length, value.Length);
    }

    private void Enter(KnownHeader known, int start, int nameLength, int valueLength)
    {
        _entries[_slots] = new Entry
        {
            NameStart = start,
            NameLength = nameLength,
            ValueStart = start + nameLength,
            ValueLength = valueLength,
            Known = known,
            Live = true,
        };
        if (known != KnownHeader.None && _first[(int)known] < 0)
        {
            _first[(int)known] = (short)_slots;
        }

        _slots++;
        _count++;
        ByteSize += nameLength + valueLength;
    }

    private void Replace(int index, ReadOnlySpan<byte> value)
    {
        ref var entry = ref _entries[index];
        ByteSize += value.Length - entry.ValueLength;
        if (value.Length <= entry.ValueLength)
        {
            value.CopyTo(_bytes.AsSpan(entry.ValueStart));
        }
        else
        {
            ReadOnlySpan<byte> none = default;
            var start = Reserve(value.Length, ref none, ref value);
            value.CopyTo(_bytes.AsSpan(start));
            entry.ValueStart = start;
        }

        entry.ValueLength = value.Length;
    }

    // The spans may point into our own buffer; when it is exchanged they are moved along, and the old one is returned only after they were read.
    private int Reserve(int length, ref ReadOnlySpan<byte> name, ref ReadOnlySpan<byte> value)
    {
        var start = _used;
        if (start + length > _bytes.Length)
        {
            var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(InitialBytes, _bytes.Length * 2), start + length));
            _bytes.AsSpan(0, _used).CopyTo(bigger);
            var old = _bytes;
            name = Moved(name, old, bigger);
            value = Moved(value, old, bigger);
            _bytes = bigger;
            if (old.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(old);
            }
        }

        _used = start + length;
        return start;
    }

    private static ReadOnlySpan<byte> Moved(ReadOnlySpan<byte> span, byte[] old, byte[] bigger) =>
        old.AsSpan().Overlaps(span, out var offset) ? bigger.AsSpan(offset, span.Length) : span;

    private bool RemoveFrom(int index, KnownHeader known, ReadOnlySpan<byte> name)
    {
        var removed = false;
        for (var i = index; i < _slots; i++)
        {
            ref var entry = ref _entries[i];
            if (entry.Live && entry.Known == known && (known != KnownHeader.None || NameAt(i).SequenceEqual(name)))
            {
                entry.Live = false;
                _count--;
                ByteSize -= entry.NameLength + entry.ValueLength;
                removed = true;
            }
        }

        if (known != KnownHeader.None && _first[(int)known] >= index)
        {
            _first[(int)known] = -1;
        }

        return removed;
    }

    private void Compact()
    {
        if (_slots == 0 || _count > _slots / 2)
        {
            Array.Resize(ref _entries, Math.Max(InitialEntries, _entries.Length * 2));
            return;
        }

        Array.Fill(_first, (short)-1);
        var to = 0;
        for (var i = 0; i < _slots; i++)
        {
            if (_entries[i].Live)
            {
                _entries[to] = _entries[i];
                if (_entries[to].Known != KnownHeader.None && _first[(int)_entries[to].Known] < 0)
                {
                    _first[(int)_entries[to].Known] = (short)to;
                }

                to++;
            }
        }

        _slots = to;
    }

    private int IndexOf(ReadOnlySpan<byte> name, int from)
    {
        for (var i = from; i < _slots; i++)
        {
            if (_entries[i].Live && _entries[i].NameLength == name.Length && NameAt(i).SequenceEqual(name))
            {
                return i;
            }
        }

        return -1;
    }

    private ReadOnlySpan<byte> NameAt(int index) => _bytes.AsSpan(_entries[index].NameStart, _entries[index].NameLength);

    private ReadOnlySpan<byte> ValueAt(int index) => _bytes.AsSpan(_entries[index].ValueStart, _entries[index].ValueLength);

    private struct Entry
    {
        public int NameStart;
        public int NameLength;
        public int ValueStart;
        public int ValueLength;
        public KnownHeader Known;
        public bool Live;
    }

    /// <summary>One header, while the map is unchanged.</summary>
    public readonly ref struct Header
    {
        internal Header(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            Known = known;
            Name = name;
            Value = value;
        }

        /// <summary>Which known header it is, or None.</summary>
        public KnownHeader Known { get; }

        /// <summary>Lower case.</summary>
        public ReadOnlySpan<byte> Name { get; }

        /// <summary>As received or set.</summary>
        public ReadOnlySpan<byte> Value { get; }

        /// <summary><c>:method</c> and the like.</summary>
        public bool IsPseudo => Known is > KnownHeader.None and <= KnownHeader.Protocol;
    }

    /// <summary>Goes over the headers in order.</summary>
    public ref struct Enumerator
    {
        private readonly HeaderMap _map;
        private int _index;

        internal Enumerator(HeaderMap map)
        {
            _map = map;
            _index = -1;
        }

        /// <summary>The header.</summary>
        public readonly Header Current => new(_map._entries[_index].Known, _map.NameAt(_index), _map.ValueAt(_index));

        /// <summary>To the next one.</summary>
        public bool MoveNext()
        {
            while (++_index < _map._slots)
            {
                if (_map._entries[_index].Live)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
