using Google.Protobuf;

namespace Nuncio.DataPlane.Tracing;

/// <summary>
/// Writes a protobuf message field by field: what tracing services understand has few fields, and their schemas are none of Envoy's. Defaults are left out.
/// </summary>
internal sealed class ProtoMessage
{
    private readonly MemoryStream _stream = new();
    private readonly CodedOutputStream _output;

    /// <summary>Empty.</summary>
    public ProtoMessage() => _output = new CodedOutputStream(_stream, leaveOpen: true);

    /// <summary>An integer, enum or bool.</summary>
    public void Number(int field, ulong value)
    {
        if (value != 0)
        {
            _output.WriteTag(field, WireFormat.WireType.Varint);
            _output.WriteUInt64(value);
        }
    }

    /// <summary>A fixed64.</summary>
    public void Fixed64(int field, ulong value)
    {
        if (value != 0)
        {
            _output.WriteTag(field, WireFormat.WireType.Fixed64);
            _output.WriteFixed64(value);
        }
    }

    /// <summary>A string.</summary>
    public void Text(int field, string value)
    {
        if (value.Length > 0)
        {
            _output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            _output.WriteString(value);
        }
    }

    /// <summary>Bytes.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            _output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            _output.WriteBytes(ByteString.CopyFrom(value));
        }
    }

    /// <summary>A message, which may be empty.</summary>
    public void Message(int field, ProtoMessage value)
    {
        _output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        _output.WriteBytes(ByteString.CopyFrom(value.ToArray()));
    }

    /// <summary>What has been written.</summary>
    public byte[] ToArray()
    {
        _output.Flush();
        return _stream.ToArray();
    }
}
