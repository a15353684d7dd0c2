using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.DataPlane.Binding;

/// <summary>Reads messages that came packed: from another process, so they may hold any bytes.</summary>
internal static class AnyReading
{
    /// <summary>The message; false when it is of another type or its bytes are not those of one.</summary>
    public static bool TryRead<T>(this Any any, [NotNullWhen(true)] out T? message)
        where T : class, IMessage, new()
    {
        message = new T();
        if (!any.Is(message.Descriptor))
        {
            message = null;
            return false;
        }

        try
        {
            message.MergeFrom(any.Value);
            return true;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            message = null;
            return false;
        }
    }

    /// <summary>
    /// What the library throws for bytes that are not a message: besides its own exception, this one for an end of a group that has no beginning.
    /// </summary>
    public static bool IsUnreadable(Exception exception) => exception is InvalidProtocolBufferException or InvalidOperationException;
}
