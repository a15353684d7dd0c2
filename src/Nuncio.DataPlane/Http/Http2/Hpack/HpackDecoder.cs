namespace Nuncio.DataPlane.Http.Http2.Hpack;

/// <summary>Decodes the header blocks of one connection, in their order (RFC 7541). Not thread-safe.</summary>
internal sealed class HpackDecoder
{
    private readonly HpackDynamicTable _table;
    private readonly int _tableLimit;
    private byte[] _name = [];
    private byte[] _value = [];

    /// <summary>A decoder whose table may be as large as our SETTINGS_HEADER_TABLE_SIZE says.</summary>
    public HpackDecoder(int tableLimit)
    {
        _tableLimit = tableLimit;
        _table = new HpackDynamicTable(tableLimit);
    }

    /// <summary>The dynamic table's size now.</summary>
    public int TableSize => _table.Size;

    /// <summary>
    /// Decodes a whole block into <paramref name="reader"/>. False when it cannot be decoded: COMPRESSION_ERROR, after which the connection is useless.
    /// What the headers mean does not matter here; a block of a refused message has to be decoded all the same.
    /// </summary>
    public bool Decode(ReadOnlySpan<byte> block, Http2HeaderReader reader)
    {
        var at = 0;
        var updateAllowed = true;
        while (at < block.Length)
        {
            var first = block[at];
            if ((first & 0x80) != 0)
            {
                if (!HpackPrimitives.TryReadInteger(block, ref at, 7, out var index) || !TryGet(index, out var known, out var name, out var value))
                {
                    return false;
                }

                reader.OnHeader(known, name, value);
            }
            else if ((first & 0xE0) == 0x20)
            {
                // A table size update; only at the start of a block (section 4.2).
                if (!updateAllowed || !HpackPrimitives.TryReadInteger(block, ref at, 5, out var size) || size > _tableLimit)
                {
                    return false;
                }

                _table.Resize(size);
                continue;
            }
            else if (!TryReadLiteral(block, ref at, (first & 0x40) != 0, reader))
            {
                return false;
            }

            updateAllowed = false;
        }

        return true;
    }

    /// <summary>Gives the scratch buffers back.</summary>
    public void ReturnBuffers()
    {
        HpackPrimitives.Return(ref _name);
        HpackPrimitives.Return(ref _value);
    }

    private bool TryReadLiteral(ReadOnlySpan<byte> block, ref int at, bool insert, Http2HeaderReader reader)
    {
        if (!HpackPrimitives.TryReadInteger(block, ref at, insert ? 6 : 4, out var index))
        {
            return false;
        }

        KnownHeader known;
        ReadOnlySpan<byte> name;
        if (index == 0)
        {
            if (!HpackPrimitives.TryReadText(block, ref at, 7, ref _name, out name))
            {
                return false;
            }

            known = KnownHeaders.Find(name);
        }
        else
        {
            if (!TryGet(index, out known, out name, out _))
            {
                return false;
            }

            if (insert && index > HpackStaticTable.Count)
            {
                // The entry may be evicted or moved by the insertion.
                HpackPrimitives.Grow(ref _name, name.Length);
                name.CopyTo(_name);
                name = _name.AsSpan(0, name.Length);
            }
        }

        if (!HpackPrimitives.TryReadText(block, ref at, 7, ref _value, out var value))
        {
            return false;
        }

        if (insert)
        {
            _table.Insert(known, name, value);
        }

        reader.OnHeader(known, name, value);
        return true;
    }

    private bool TryGet(int index, out KnownHeader known, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        if (index is > 0 and <= HpackStaticTable.Count)
        {
            ref readonly var entry = ref HpackStaticTable.At(index);
            known = entry.Known;
            name = entry.Name;
            value = entry.Value;
            return true;
        }

        index -= HpackStaticTable.Count + 1;
        if (index >= 0 && index < _table.Count)
        {
            _table.Get(index, out known, out name, out value);
            return true;
        }

        known = KnownHeader.None;
        name = value = default;
        return false;
    }
}
