using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Tests.Binding;

/// <summary>Changes fields of a message at random, at any depth and inside of each Any: everything it gives can be parsed, whatever it means.</summary>
internal static class MessageMutations
{
    private static readonly string[] Texts =
        [
            "", "a", "*", "*.b", "/", "/x", "a.example", "%REQ(x)%", "%", "(", ".*", "x-a", ":path", "127.0.0.1", "::1", "\0", "é", "\r\n", "-1", "1e9",
            new('a', 300),
        ];
    private static readonly long[] Numbers =
        [0, 1, -1, 2, 80, 100, 255, 256, 65535, 65536, 1_000_000, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue];
    private static readonly double[] Fractions = [0, 1, -1, 0.5, 100, 1e300, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.Epsilon];

    /// <summary>One to <paramref name="most"/> changes.</summary>
    public static void Apply(Random random, IMessage message, int most)
    {
        for (var changes = random.Next(1, most + 1); changes > 0; changes--)
        {
            var below = new List<IMessage>();
            Collect(message, below);
            var chosen = below[random.Next(below.Count)];
            if (chosen is Any any && Unpack(any) is { } inner && random.Next(8) > 0)
            {
                Apply(random, inner, 1);
                any.Value = inner.ToByteString();
            }
            else
            {
                Change(random, chosen);
            }
        }
    }

    private static IMessage? Unpack(Any any)
    {
        try
        {
            return XdsTypeRegistry.Find(any.TypeUrl)?.Parser.ParseFrom(any.Value);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static void Collect(IMessage message, List<IMessage> found)
    {
        found.Add(message);
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (field.IsMap || field.FieldType != FieldType.Message || IsWrapper(field.MessageType)) continue;
            switch (field.Accessor.GetValue(message))
            {
                case IMessage one:
                    Collect(one, found);
                    break;
                case IEnumerable many:
                    foreach (IMessage one in many) Collect(one, found);
                    break;
            }
        }
    }

    private static void Change(Random random, IMessage message)
    {
        var fields = message.Descriptor.Fields.InFieldNumberOrder();
        if (fields.Count == 0) return;
        var field = fields[random.Next(fields.Count)];
        if (field.IsMap) return;
        if (!field.IsRepeated)
        {
            if (random.Next(4) == 0) field.Accessor.Clear(message);
            else field.Accessor.SetValue(message, Value(random, field));
            return;
        }

        var list = (IList)field.Accessor.GetValue(message);
        switch (random.Next(3))
        {
            case 0 when list.Count > 0:
                list.RemoveAt(random.Next(list.Count));
                break;
            case 1 when list.Count > 0:
                list.Add(list[random.Next(list.Count)] is IMessage one ? one.Descriptor.Parser.ParseFrom(one.ToByteArray()) : list[0]);
                break;
            default:
                list.Add(Value(random, field));
                break;
        }
    }

    private static object Value(Random random, FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message when IsWrapper(field.MessageType) => Value(random, field.MessageType.FindFieldByNumber(1)),
        FieldType.Message => Filled(random, field.MessageType),
        FieldType.String => Texts[random.Next(Texts.Length)],
        FieldType.Bytes => ByteString.CopyFromUtf8(Texts[random.Next(Texts.Length)]),
        FieldType.Bool => random.Next(2) == 0,
        FieldType.Enum =>
            System.Enum.ToObject(field.EnumType.ClrType, random.Next(8) == 0 ? 12345 : field.EnumType.Values[random.Next(field.EnumType.Values.Count)].Number),
        FieldType.Double => Fractions[random.Next(Fractions.Length)],
        FieldType.Float => (float)Fractions[random.Next(Fractions.Length)],
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => unchecked((int)Number(random)),
        FieldType.UInt32 or FieldType.Fixed32 => unchecked((uint)Number(random)),
        FieldType.UInt64 or FieldType.Fixed64 => unchecked((ulong)Number(random)),
        _ => Number(random),
    };

    // A new message has something in it most of the time, or nobody would look further.
    private static IMessage Filled(Random random, MessageDescriptor type)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        for (var fields = random.Next(3); fields > 0; fields--) Change(random, message);
        return message;
    }

    private static long Number(Random random) => random.Next(4) == 0 ? random.NextInt64() : Numbers[random.Next(Numbers.Length)];

    private static bool IsWrapper(MessageDescriptor type) => type.File == WrappersReflection.Descriptor;
}
