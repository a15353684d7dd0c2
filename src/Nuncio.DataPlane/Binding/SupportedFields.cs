using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Nuncio.DataPlane.Binding;

/// <summary>Finds fields that are set and that nobody will read: what a binder does not know it refuses instead of ignoring.</summary>
public static class SupportedFields
{
    /// <summary>Adds an error for each field of <paramref name="message"/> that is set and not in <paramref name="supported"/>.</summary>
    /// <param name="message">The message; null is fine.</param>
    /// <param name="path">Its place in the resource.</param>
    /// <param name="errors">Where errors go.</param>
    /// <param name="supported">Proto field names.</param>
    public static void Check(IMessage? message, string path, BindErrors errors, params ReadOnlySpan<string> supported)
    {
        if (message == null)
        {
            return;
        }

        ArgumentNullException.ThrowIfNull(errors);
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (!supported.Contains(field.Name) && IsSet(message, field))
            {
                errors.Add(BindErrors.Path(path, field.Name), "This field is not supported by the embedded proxy.");
            }
        }
    }

    private static bool IsSet(IMessage message, FieldDescriptor field)
    {
        if (field.IsMap || field.IsRepeated)
        {
            return ((ICollection)field.Accessor.GetValue(message)).Count > 0;
        }

        if (field.HasPresence)
        {
            return field.Accessor.HasValue(message);
        }

        return field.Accessor.GetValue(message) switch
        {
            null => false,
            bool b => b,
            string s => s.Length > 0,
            ByteString b => b.Length > 0,
            Enum e => Convert.ToInt64(e, null) != 0,
            var number => Convert.ToDouble(number, null) != 0,
        };
    }
}
