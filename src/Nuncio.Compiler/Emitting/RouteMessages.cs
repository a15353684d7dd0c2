using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Compiler.Emitting;

/// <summary>Small messages that occur in many places.</summary>
internal static class RouteMessages
{
    /// <summary>A share of a hundred.</summary>
    public static TypeV3.FractionalPercent Percent(int numerator) =>
        new() { Numerator = (uint)numerator, Denominator = TypeV3.FractionalPercent.Types.DenominatorType.Hundred };

    /// <summary>Milliseconds as a protobuf duration.</summary>
    public static Duration Milliseconds(long milliseconds) => new() { Seconds = milliseconds / 1000, Nanos = (int)(milliseconds % 1000 * 1_000_000) };

    /// <summary>A duration; below a tick nothing is kept.</summary>
    public static Duration Of(TimeSpan duration) => Duration.FromTimeSpan(duration);

    /// <summary>Packs deterministically, under <c>type.googleapis.com</c>.</summary>
    public static Any Pack(IMessage message) => new()
    {
        TypeUrl = "type.googleapis.com/" + message.Descriptor.FullName,
        Value = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(message)),
    };
}
