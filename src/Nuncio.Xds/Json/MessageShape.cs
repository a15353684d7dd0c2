using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text.Json;
using Google.Protobuf.Reflection;

namespace Nuncio.Xds.Json;

/// <summary>How a message looks in JSON; one per message type, made on first use.</summary>
internal sealed class MessageShape
{
    private static readonly ConcurrentDictionary<MessageDescriptor, MessageShape> Shapes = new();

    private readonly FrozenDictionary<string, FieldShape> _byName;

    private MessageShape(MessageDescriptor descriptor)
    {
        Descriptor = descriptor;
        Special = SpecialForms.Of(descriptor);
        Fields = [.. descriptor.Fields.InFieldNumberOrder().Select(field => new FieldShape(field))];
        var names = new Dictionary<string, FieldShape>(StringComparer.Ordinal);
        foreach (var field in Fields) names[field.Descriptor.JsonName] = field;
        foreach (var field in Fields) names[field.Descriptor.Name] = field;
        _byName = names.ToFrozenDictionary(StringComparer.Ordinal);
    }

    public MessageDescriptor Descriptor { get; }

    public SpecialForm Special { get; }

    /// <summary>In the order of their numbers.</summary>
    public FieldShape[] Fields { get; }

    public static MessageShape Of(MessageDescriptor descriptor) => Shapes.GetOrAdd(descriptor, static d => new MessageShape(d));

    /// <summary>By proto name or JSON name.</summary>
    public FieldShape? Find(string name) => _byName.GetValueOrDefault(name);
}

/// <summary>One field of a <see cref="MessageShape"/>.</summary>
internal sealed class FieldShape
{
    private MessageShape? _message;

    public FieldShape(FieldDescriptor descriptor)
    {
        Descriptor = descriptor;
        Accessor = descriptor.Accessor;
        Name = JsonEncodedText.Encode(descriptor.Name);
        Type = descriptor.FieldType;
        HasPresence = descriptor.HasPresence;
        if (!descriptor.IsMap) return;
        MapKey = new FieldShape(descriptor.MessageType.FindFieldByNumber(1));
        MapValue = new FieldShape(descriptor.MessageType.FindFieldByNumber(2));
    }

    public FieldDescriptor Descriptor { get; }

    public IFieldAccessor Accessor { get; }

    public JsonEncodedText Name { get; }

    public FieldType Type { get; }

    public bool HasPresence { get; }

    /// <summary>The entry's key, for a map field.</summary>
    public FieldShape? MapKey { get; }

    /// <summary>The entry's value, for a map field.</summary>
    public FieldShape? MapValue { get; }

    /// <summary>The content of a message field; resolved late, since messages contain each other.</summary>
    public MessageShape Message => _message ??= MessageShape.Of(Descriptor.MessageType);
}
