using System.Collections;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Envoy.Config.Route.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.XdsServer.Resources;

/// <summary>
/// Leaves out of resources what an older Envoy does not know, which it would ignore without a word (or refuse, in an extension), so that it can be said.
/// </summary>
internal static class FieldReduction
{
    private static readonly ConditionalWeakTable<IXdsResource, Reduced> Known = [];
    private static readonly ConditionalWeakTable<IMessage, object> Clean = [];
    private static readonly ConcurrentDictionary<MessageDescriptor, bool> Reach = new();
    private static readonly object Mark = new();

    /// <summary>The message without what came with <see cref="EnvoyFields.Newest"/>, the same where there is none, and where that was.</summary>
    public static Reduced Of(IXdsResource resource) => Known.GetValue(resource, static resource =>
    {
        var paths = new List<string>();
        Walk(resource.Message, "", paths, clears: false);
        if (paths.Count == 0) return new Reduced(resource.Message, []);
        var copy = resource.Message.Descriptor.Parser.ParseFrom(XdsBytes.Serialize(resource.Message));
        Walk(copy, "", [], clears: true);
        return new Reduced(copy, [.. paths]);
    });

    /// <summary>Whether anything below was found, and with <paramref name="clears"/> was taken away.</summary>
    private static bool Walk(IMessage message, string path, List<string> paths, bool clears)
    {
        // Most of a large configuration is routes that did not change.
        var keeps = !clears && message is Route;
        if (keeps && Clean.TryGetValue(message, out _)) return false;
        if (message is Any any) return WalkContent(any, path, paths, clears);
        var narrows = message is Route { Match.Cookies.Count: > 0 };
        var found = false;
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (EnvoyFields.IsYoung(field))
            {
                if (!IsSet(field, message)) continue;
                found = true;
                paths.Add(Join(path, field.Name));
                if (clears) field.Accessor.Clear(message);
            }
            else if (field.FieldType == FieldType.Message && (field.IsMap || CanReach(field.MessageType)))
            {
                found |= WalkField(field, message, Join(path, field.Name), paths, clears);
            }
        }

        // With a condition less it would take requests that are not meant for it.
        if (clears && narrows) ((Route)message).DirectResponse = new DirectResponseAction { Status = 500 };
        if (keeps && !found) Clean.AddOrUpdate(message, Mark);
        return found;
    }

    private static bool WalkField(FieldDescriptor field, IMessage message, string path, List<string> paths, bool clears)
    {
        var found = false;
        switch (field.Accessor.GetValue(message))
        {
            case IDictionary entries:
                foreach (DictionaryEntry entry in entries)
                {
                    if (entry.Value is IMessage value) found |= Walk(value, $"{path}[{entry.Key}]", paths, clears);
                }

                break;
            case IList items:
                for (var i = 0; i < items.Count; i++)
                    found |= Walk((IMessage)items[i]!, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{path}[{i}]"), paths, clears);
                break;
            case IMessage value:
                found = Walk(value, path, paths, clears);
                break;
            default:
                break;
        }

        return found;
    }

    private static bool WalkContent(Any any, string path, List<string> paths, bool clears)
    {
        if (XdsTypeRegistry.Find(any.TypeUrl) is not { } type || !CanReach(type)) return false;
        var content = type.Parser.ParseFrom(any.Value);
        var found = Walk(content, path, paths, clears);
        if (found && clears) any.Value = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(content));
        return found;
    }

    private static bool IsSet(FieldDescriptor field, IMessage message)
    {
        if (field.HasPresence) return field.Accessor.HasValue(message);
        return field.Accessor.GetValue(message) switch
        {
            ICollection items => items.Count > 0,
            string text => text.Length > 0,
            ByteString octets => !octets.IsEmpty,
            bool value => value,
            System.Enum value => Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture) != 0,
            IConvertible number => number.ToDouble(System.Globalization.CultureInfo.InvariantCulture) != 0,
            _ => true,
        };
    }

    /// <summary>Somewhere below a message of this type there may be such a field; whatever is in an <c>Any</c> has to be looked at.</summary>
    private static bool CanReach(MessageDescriptor type)
    {
        if (Reach.TryGetValue(type, out var known)) return known;
        var seen = new HashSet<MessageDescriptor>();
        var reaches = Search(type);
        Reach[type] = reaches;
        return reaches;

        bool Search(MessageDescriptor at) =>
            at == Any.Descriptor
            || (seen.Add(at) && at.Fields.InFieldNumberOrder().Any(
                field => EnvoyFields.IsYoung(field) || (field.FieldType == FieldType.Message && Search(field.MessageType))));
    }

    private static string Join(string path, string field) => path.Length == 0 ? field : $"{path}.{field}";

    /// <summary>What is left of a resource.</summary>
    /// <param name="Message">What an older Envoy is sent.</param>
    /// <param name="LeftOut">The paths of what it is not sent.</param>
    internal sealed record Reduced(IMessage Message, ImmutableArray<string> LeftOut);
}
