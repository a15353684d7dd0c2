using System.Collections.Frozen;
using System.Reflection;
using Envoy.Config.Listener.V3;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Xds;

/// <summary>Every message of the contract by the name that an <c>Any</c> carries.</summary>
public static class XdsTypeRegistry
{
    /// <summary>What stands before the name in a type URL.</summary>
    public const string TypeUrlPrefix = "type.googleapis.com/";

    private static readonly FrozenDictionary<string, MessageDescriptor> Messages = FindMessages();

    /// <summary>The message that a type URL names, or null when the contract does not have it.</summary>
    /// <param name="typeUrl">For instance <c>type.googleapis.com/envoy.config.listener.v3.Listener</c>; only what follows the last slash counts.</param>
    public static MessageDescriptor? Find(string typeUrl)
    {
        ArgumentNullException.ThrowIfNull(typeUrl);
        return Messages.GetValueOrDefault(typeUrl[(typeUrl.LastIndexOf('/') + 1)..]);
    }

    /// <summary>The type URL of a message.</summary>
    public static string TypeUrlOf(MessageDescriptor message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return TypeUrlPrefix + message.FullName;
    }

    private static FrozenDictionary<string, MessageDescriptor> FindMessages()
    {
        var files = typeof(Listener).Assembly.GetTypes()
            .Where(type => type.IsAbstract && type.IsSealed && type.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null))
            .OfType<FileDescriptor>()
            .Concat([
                AnyReflection.Descriptor, DurationReflection.Descriptor, EmptyReflection.Descriptor, StructReflection.Descriptor,
                TimestampReflection.Descriptor, WrappersReflection.Descriptor,
            ]);
        var found = new Dictionary<string, MessageDescriptor>(StringComparer.Ordinal);
        foreach (var message in files.SelectMany(file => file.MessageTypes)) Add(found, message);
        return found.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static void Add(Dictionary<string, MessageDescriptor> found, MessageDescriptor message)
    {
        found[message.FullName] = message;
        foreach (var nested in message.NestedTypes) Add(found, nested);
    }
}
