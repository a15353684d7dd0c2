using System.Text;
using Google.Protobuf;

namespace Nuncio.EndToEndTests.Features;

/// <summary>A protobuf message by its field numbers, read without the generated code that the gateway itself is built on.</summary>
public sealed class ProtoFields
{
    private readonly List<(int Number, ulong Value, byte[] Bytes)> _fields = [];

    /// <summary>Reads the wire format; groups are not known.</summary>
    public static ProtoFields Parse(byte[] bytes)
    {
        var fields = new ProtoFields();
        var input = new CodedInputStream(bytes);
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            var number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0: fields._fields.Add((number, input.ReadUInt64(), [])); break;
                case 1: fields._fields.Add((number, input.ReadFixed64(), [])); break;
                case 2: fields._fields.Add((number, 0, input.ReadBytes().ToByteArray())); break;
                case 5: fields._fields.Add((number, input.ReadFixed32(), [])); break;
                default: throw new InvalidDataException($"wire type {tag & 7}");
            }
        }

        return fields;
    }

    /// <summary>The messages of a field.</summary>
    public IEnumerable<ProtoFields> All(int number) => _fields.Where(field => field.Number == number).Select(field => Parse(field.Bytes));

    /// <summary>The message that a path of field numbers leads to; an empty one where there is none.</summary>
    public ProtoFields At(params int[] path) => path.Aggregate(this, (message, number) => message.All(number).FirstOrDefault() ?? new ProtoFields());

    /// <summary>The text of a field; empty where there is none.</summary>
    public string Text(int number) => Encoding.UTF8.GetString(Raw(number));

    /// <summary>The bytes of a field; none where there is none.</summary>
    public byte[] Raw(int number) => _fields.FirstOrDefault(field => field.Number == number).Bytes ?? [];

    /// <summary>The number of a field; 0 where there is none.</summary>
    public ulong Number(int number) => _fields.FirstOrDefault(field => field.Number == number).Value;

    /// <summary>A map of texts.</summary>
    public Dictionary<string, string> Map(int number) => All(number).ToDictionary(entry => entry.Text(1), entry => entry.Text(2));

    /// <summary>Writes a field that is a message.</summary>
    public static byte[] Message(int number, params byte[][] content) => Bytes(number, [.. content.SelectMany(part => part)]);

    /// <summary>Writes a field that is a text.</summary>
    public static byte[] Text(int number, string value) => Bytes(number, Encoding.UTF8.GetBytes(value));

    /// <summary>Writes a field that is a number or an enumeration.</summary>
    public static byte[] Varint(int number, int value) => Write(output =>
    {
        output.WriteTag(number, WireFormat.WireType.Varint);
        output.WriteInt32(value);
    });

    private static byte[] Bytes(int number, byte[] value) => Write(output =>
    {
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(value));
    });

    private static byte[] Write(Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true)) write(output);
        return stream.ToArray();
    }
}
