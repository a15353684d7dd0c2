using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Formatting;

/// <summary>
/// A JSON object whose strings are formats (json_format, and typed_json_format, which has become the same). A value that is one operator keeps its type:
/// numbers stay numbers, a missing one is null; mixed text is a string.
/// </summary>
public sealed class JsonFormat : SubstitutionFormat
{
    private readonly bool _omitEmpty;
    private readonly bool _sort;
    private readonly ISet<string>? _absent;
    private Node _root = new Node.Raw([]);

    private JsonFormat(bool omitEmpty, bool sort, ISet<string>? absent)
    {
        _omitEmpty = omitEmpty;
        _sort = sort;
        _absent = absent;
    }

    /// <summary>Binds an object; null with the reason (and which field) where a format in it is bad.</summary>
    /// <param name="format">The object.</param>
    /// <param name="omitEmpty">A missing value's field is left out.</param>
    /// <param name="sort">Fields are sorted by name.</param>
    /// <param name="error">The reason.</param>
    /// <param name="absent">Gets the operators that Envoy has and we do not, which are then without a value; null: they are an error.</param>
    public static JsonFormat? TryCreate(Struct format, bool omitEmpty, bool sort, out string error, ISet<string>? absent = null)
    {
        ArgumentNullException.ThrowIfNull(format);
        var json = new JsonFormat(omitEmpty, sort, absent);
        if (json.BindObject(format, out error) is not { } root)
        {
            return null;
        }

        json._root = root;
        return json;
    }

    /// <inheritdoc/>
    public override void Write(HttpExchange exchange, FormatBuffer buffer) => _root.TryWrite(exchange, buffer);

    private Node.Object? BindObject(Struct format, out string error)
    {
        error = "";
        var fields = new List<(byte[] Name, Node Value)>();
        foreach (var (name, value) in _sort ? format.Fields.OrderBy(field => field.Key, StringComparer.Ordinal) : format.Fields.AsEnumerable())
        {
            if (BindValue(value, out error) is not { } node)
            {
                error = $"{name}: {error}";
                return null;
            }

            fields.Add((Encoding.UTF8.GetBytes($"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(name)}\":"), node));
        }

        return new Node.Object([.. fields]);
    }

    private Node? BindValue(Value value, out string error)
    {
        error = "";
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StructValue:
                return BindObject(value.StructValue, out error);
            case Value.KindOneofCase.ListValue:
                var items = new List<Node>();
                foreach (var item in value.ListValue.Values)
                {
                    if (BindValue(item, out error) is not { } node)
                    {
                        return null;
                    }

                    items.Add(node);
                }

                return new Node.Array([.. items]);
            case Value.KindOneofCase.StringValue:
                if (!FormatParser.TryParse(value.StringValue, out var operators, out error, _absent))
                {
                    return null;
                }

                return operators is [{ IsLiteral: false } only] ? new Node.Single(only, _omitEmpty) : new Node.Text(operators, _omitEmpty);
            case Value.KindOneofCase.NumberValue:
                return new Node.Raw(JsonSerializer.SerializeToUtf8Bytes(value.NumberValue));
            case Value.KindOneofCase.BoolValue:
                return new Node.Raw(value.BoolValue ? "true"u8.ToArray() : "false"u8.ToArray());
            default:
                return new Node.Raw("null"u8.ToArray());
        }
    }

    private abstract class Node
    {
        /// <summary>Writes the value; false (and nothing written) where it is to be left out.</summary>
        public abstract bool TryWrite(HttpExchange exchange, FormatBuffer buffer);

        public sealed class Raw(byte[] json) : Node
        {
            public override bool TryWrite(HttpExchange exchange, FormatBuffer buffer)
            {
                buffer.Write(json);
                return true;
            }
        }

        public sealed class Object((byte[] Name, Node Value)[] fields) : Node
        {
            public override bool TryWrite(HttpExchange exchange, FormatBuffer buffer)
            {
                buffer.Write((byte)'{');
                var first = true;
                foreach (var (name, value) in fields)
                {
                    var start = buffer.Length;
                    if (!first)
                    {
                        buffer.Write((byte)',');
                    }

                    buffer.Write(name);
                    if (value.TryWrite(exchange, buffer))
                    {
                        first = false;
                    }
                    else
                    {
                        buffer.Truncate(start);
                    }
                }

                buffer.Write((byte)'}');
                return true;
            }
        }

        public sealed class Array(Node[] items) : Node
        {
            public override bool TryWrite(HttpExchange exchange, FormatBuffer buffer)
            {
                buffer.Write((byte)'[');
                var first = true;
                foreach (var item in items)
                {
                    var start = buffer.Length;
                    if (!first)
                    {
                        buffer.Write((byte)',');
                    }

                    if (item.TryWrite(exchange, buffer))
                    {
                        first = false;
                    }
                    else
                    {
                        buffer.Truncate(start);
                    }
                }

                buffer.Write((byte)']');
                return true;
            }
        }

        public sealed class Single(FormatOperator value, bool omitEmpty) : Node
        {
            public override bool TryWrite(HttpExchange exchange, FormatBuffer buffer)
            {
                var start = buffer.Length;
                if (value.IsJson)
                {
                    if (value.TryWriteJson(exchange, buffer))
                    {
                        return true;
                    }
                }
                else
                {
                    buffer.Write((byte)'"');
                    if (value.TryWrite(exchange, buffer))
                    {
                        JsonText.EscapeFrom(buffer, start + 1);
                        buffer.Write((byte)'"');
                        return true;
                    }

                    buffer.Truncate(start);
                }

                if (omitEmpty)
                {
                    return false;
                }

                buffer.Write("null"u8);
                return true;
            }
        }

        public sealed class Text(FormatOperator[] operators, bool omitEmpty) : Node
        {
            public override bool TryWrite(HttpExchange exchange, FormatBuffer buffer)
            {
                buffer.Write((byte)'"');
                var start = buffer.Length;
                foreach (var part in operators)
                {
                    if (!part.TryWrite(exchange, buffer) && !omitEmpty)
                    {
                        buffer.Write((byte)'-');
                    }
                }

                JsonText.EscapeFrom(buffer, start);
                buffer.Write((byte)'"');
                return true;
            }
        }
    }
}
