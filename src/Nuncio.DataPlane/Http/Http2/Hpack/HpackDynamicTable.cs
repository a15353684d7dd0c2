namespace Nuncio.DataPlane.Http.Http2.Hpack;

/// <summary>
/// The dynamic table of one direction (RFC 7541 section 2.3.2): first in, first out, its size counted as the RFC counts it. Entries lie one
/// after the other in one buffer, which holds at most twice the table's size; an empty table holds nothing.
/// </summary>
internal sealed class HpackDynamicTable
{
    /// <summary>What an entry counts beyond its bytes (RFC 7541 section 4.1).</summary>
    public const int EntryOverhead = 32;

    private Entry[] _entries = [];
    private byte[] _bytes = [];
    private int _oldest;
    private int _end;

    /// <summary>An empty table that may grow to <paramref name="maxSize"/>.</summary>
    public HpackDynamicTable(int maxSize) => MaxSize = maxSize;

    /// <summary>The size that entries are evicted to keep.</summary>
    public int MaxSize { get; private set; }

    /// <summary>The size now.</summary>
    public int Size { get; private set; }

    /// <summary>Entries now.</summary>
    public int Count { get; private set; }

    /// <summary>Entries ever inserted; the newest has the number Inserted - 1.</summary>
    public long Inserted { get; private set; }

    /// <summary>The header of an entry; 0 is the newest.</summary>
    public void Get(int index, out KnownHeader known, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        ref var entry = ref _entries[(_oldest + Count - 1 - index) & (_entries.Length - 1)];
        known = entry.Known;
        name = _bytes.AsSpan(entry.Start, entry.NameLength);
        value = _bytes.AsSpan(entry.Start + entry.NameLength, entry.ValueLength);
    }

    /// <summary>Changes the size limit and evicts what no longer fits.</summary>
    public void Resize(int maxSize)
    {
        MaxSize = maxSize;
        Evict(0);
    }

    /// <summary>
    /// Inserts a header, which may evict others. One that is larger than the table empties it and is not inserted (returns false).
    /// The spans must not lie in this table.
    /// </summary>
    public bool Insert(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var length = name.Length + value.Length;
        Evict(length + EntryOverhead);
        if (length + EntryOverhead > MaxSize)
        {
            return false;
        }

        if (Count == _entries.Length)
        {
            GrowEntries();
        }

        MakeRoom(length);
        name.CopyTo(_bytes.AsSpan(_end));
        value.CopyTo(_bytes.AsSpan(_end + name.Length));
        _entries[(_oldest + Count) & (_entries.Length - 1)] = new Entry { Start = _end, NameLength = name.Length, ValueLength = value.Length, Known = known };
        _end += length;
        Size += length + EntryOverhead;
        Count++;
        Inserted++;
        return true;
    }

    private void Evict(int needed)
    {
        while (Count > 0 && Size + needed > MaxSize)
        {
            ref var entry = ref _entries[_oldest];
            Size -= entry.NameLength + entry.ValueLength + EntryOverhead;
            _oldest = (_oldest + 1) & (_entries.Length - 1);
            Count--;
        }

        if (Count == 0)
        {
            _end = 0;
        }
    }

    private void MakeRoom(int length)
    {
        if (_end + length <= _bytes.Length)
        {
            return;
        }

        var start = Count > 0 ? _entries[_oldest].Start : _end;
        var used = _end - start;
        // Only when half of the buffer is free again is it worth moving instead of growing, so that a move is paid for by as many inserted bytes.
        var target = _bytes;
        if ((used + length) * 2 > _bytes.Length)
        {
            target = new byte[Math.Max(256, (used + length) * 2)];
        }

        _bytes.AsSpan(start, used).CopyTo(target);
        _bytes = target;
        _end = used;
        for (var i = 0; i < Count; i++)
        {
            _entries[(_oldest + i) & (_entries.Length - 1)].Start -= start;
        }
    }

    private void GrowEntries()
    {
        var bigger = new Entry[Math.Max(16, _entries.Length * 2)];
        for (var i = 0; i < Count; i++)
        {
            bigger[i] = _entries[(_oldest + i) & (_entries.Length - 1)];
        }

        _entries = bigger;
        _oldest = 0;
    }

    private struct Entry
    {
        public int Start;
        public int NameLength;
        public int ValueLength;
        public KnownHeader Known;
    }
}
