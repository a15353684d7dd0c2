namespace Nuncio.DataPlane.Http.Http2.Hpack;

/// <summary>
/// Encodes the header blocks of one connection, in the order they are sent (RFC 7541). What repeats goes into the dynamic table; what does not,
/// or is secret, does not. Not thread-safe.
/// </summary>
internal sealed class HpackEncoder
{
    /// <summary>The table we keep at most, whatever the peer would allow.</summary>
    public const int MaxTableSize = 4096;

    private const int Buckets = 128;

    private readonly HpackDynamicTable _table = new(MaxTableSize);
    private Slot[] _slots = [];
    private long[] _byHeader = [];
    private long[] _byName = [];
    private int _smallestPending = -1;

    /// <summary>The dynamic table's size now.</summary>
    public int TableSize => _table.Size;

    /// <summary>The peer's SETTINGS_HEADER_TABLE_SIZE: takes effect, and is told to the peer, with the next block.</summary>
    public void SetPeerLimit(uint size)
    {
        var limit = (int)Math.Min(size, MaxTableSize);
        if (limit == _table.MaxSize && _smallestPending < 0)
        {
            return;
        }

        _smallestPending = _smallestPending < 0 ? limit : Math.Min(_smallestPending, limit);
        _table.Resize(limit);
    }

    /// <summary>To be called before the first header of each block.</summary>
    public void StartBlock(Http2OutputBuffer output)
    {
        if (_smallestPending < 0)
        {
            return;
        }

        // The peer must see the smallest size there was in between (section 4.2).
        if (_smallestPending < _table.MaxSize)
        {
            WriteInteger(output, 0x20, 5, _smallestPending);
        }

        WriteInteger(output, 0x20, 5, _table.MaxSize);
        _smallestPending = -1;
    }

    /// <summary>Encodes one header.</summary>
    public void Write(Http2OutputBuffer output, KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        output.EnsureSpace(name.Length + value.Length + 24);
        var nameIndex = HpackStaticTable.FindName(known, name);
        if (nameIndex != 0)
        {
            var exact = HpackStaticTable.FindValue(nameIndex, value);
            if (exact != 0)
            {
                WriteInteger(output, 0x80, 7, exact);
                return;
            }
        }

        var indexing = IndexingOf(known, name, value);
        if (indexing == Indexing.Insert)
        {
            var nameHash = Hash(name, 0);
            var hash = Hash(value, nameHash);
            var found = FindHeader(hash, name, value);
            if (found >= 0)
            {
                WriteInteger(output, 0x80, 7, found + HpackStaticTable.Count + 1);
                return;
            }

            if (nameIndex == 0)
            {
                nameIndex = FindName(nameHash, name) + HpackStaticTable.Count + 1;
                nameIndex = nameIndex > HpackStaticTable.Count ? nameIndex : 0;
            }

            WriteLiteral(output, 0x40, 6, nameIndex, name, value);
            Insert(known, name, value, hash, nameHash);
            return;
        }

        WriteLiteral(output, indexing == Indexing.Never ? 0x10 : 0, 4, nameIndex, name, value);
    }

    // What differs with each message would only push out what repeats; what is secret must not be found by trying (RFC 7541 section 7.1).
    private static Indexing IndexingOf(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        switch (known)
        {
            case KnownHeader.Authorization:
                return Indexing.Never;
            case KnownHeader.Cookie or KnownHeader.SetCookie:
                return value.Length < 20 ? Indexing.Never : Indexing.Without;
            case KnownHeader.Path or KnownHeader.ContentLength or KnownHeader.Location or KnownHeader.Etag or KnownHeader.XRequestId or KnownHeader.Traceparent
                or KnownHeader.XEnvoyUpstreamServiceTime or KnownHeader.XEnvoyExpectedRqTimeoutMs or KnownHeader.GrpcTimeout or KnownHeader.GrpcMessage
                or KnownHeader.XForwardedFor:
                return Indexing.Without;
            case KnownHeader.None:
                if (name.SequenceEqual("proxy-authorization"u8))
                {
                    return Indexing.Never;
                }

                return name.SequenceEqual("age"u8) || name.StartsWith("if-"u8) || name.SequenceEqual("last-modified"u8) || name.SequenceEqual("content-range"u8)
                    ? Indexing.Without
                    : Fitting(name, value);
            default:
                return Fitting(name, value);
        }
    }

    private static Indexing Fitting(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        name.Length + value.Length > MaxTableSize / 4 ? Indexing.Without : Indexing.Insert;

    private static uint Hash(ReadOnlySpan<byte> bytes, uint seed)
    {
        var hash = (seed ^ (uint)bytes.Length) * 0x9E3779B1u;
        while (bytes.Length >= 4)
        {
            hash = (hash ^ System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(bytes)) * 0x85EBCA77u;
            hash ^= hash >> 15;
            bytes = bytes[4..];
        }

        foreach (var value in bytes)
        {
            hash = (hash ^ value) * 0xC2B2AE3Du;
        }

        return hash ^ (hash >> 16);
    }

    private static void WriteLiteral(Http2OutputBuffer output, int pattern, int prefixBits, int nameIndex, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        WriteInteger(output, pattern, prefixBits, nameIndex);
        if (nameIndex == 0)
        {
            WriteText(output, name);
        }

        WriteText(output, value);
    }

    private static void WriteText(Http2OutputBuffer output, ReadOnlySpan<byte> text) =>
        output.Advance(HpackPrimitives.WriteText(output.Space(text.Length + HpackPrimitives.MaxIntegerLength), 0, 7, text));

    private static void WriteInteger(Http2OutputBuffer output, int pattern, int prefixBits, int value) =>
        output.Advance(HpackPrimitives.WriteInteger(output.Space(HpackPrimitives.MaxIntegerLength), pattern, prefixBits, value));

    private int FindHeader(uint hash, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (_table.Count == 0)
        {
            return -1;
        }

        for (var number = _byHeader[hash % Buckets] - 1; number >= _table.Inserted - _table.Count; number = SlotOf(number).PreviousByHeader - 1)
        {
            if (SlotOf(number).Hash == hash)
            {
                var index = (int)(_table.Inserted - 1 - number);
                _table.Get(index, out _, out var entryName, out var entryValue);
                if (entryValue.SequenceEqual(value) && entryName.SequenceEqual(name))
                {
                    return index;
                }
            }
        }

        return -1;
    }

    private int FindName(uint nameHash, ReadOnlySpan<byte> name)
    {
        if (_table.Count == 0)
        {
            return -1;
        }

        for (var number = _byName[nameHash % Buckets] - 1; number >= _table.Inserted - _table.Count; number = SlotOf(number).PreviousByName - 1)
        {
            var index = (int)(_table.Inserted - 1 - number);
            _table.Get(index, out _, out var entryName, out _);
            if (entryName.SequenceEqual(name))
            {
                return index;
            }
        }

        return -1;
    }

    // Chains lead from newer to older entries by number + 1; one that has left the table ends its chain.
    private void Insert(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, uint hash, uint nameHash)
    {
        if (!_table.Insert(known, name, value))
        {
            return;
        }

        if (_slots.Length == 0)
        {
            _slots = new Slot[MaxTableSize / HpackDynamicTable.EntryOverhead];
            _byHeader = new long[Buckets];
            _byName = new long[Buckets];
        }

        var number = _table.Inserted - 1;
        ref var slot = ref SlotOf(number);
        slot.Hash = hash;
        slot.PreviousByHeader = _byHeader[hash % Buckets];
        slot.PreviousByName = _byName[nameHash % Buckets];
        _byHeader[hash % Buckets] = _byName[nameHash % Buckets] = number + 1;
    }

    private ref Slot SlotOf(long number) => ref _slots[number % _slots.Length];

    private enum Indexing
    {
        Insert,
        Without,
        Never,
    }

    private struct Slot
    {
        public uint Hash;
        public long PreviousByHeader;
        public long PreviousByName;
    }
}
