using Google.Protobuf.Reflection;

namespace Nuncio.Xds.Json;

/// <summary>Well-known types whose JSON is not an object of their fields.</summary>
internal enum SpecialForm
{
    None,
    Any,
    Duration,
    Timestamp,
    Struct,
    Value,
    ListValue,

    /// <summary>StringValue, UInt32Value and so on: the bare value.</summary>
    Wrapper,
}

/// <summary>Tells which form a message has.</summary>
internal static class SpecialForms
{
    public static SpecialForm Of(MessageDescriptor message) => message.FullName switch
    {
        "google.protobuf.Any" => SpecialForm.Any,
        "google.protobuf.Duration" => SpecialForm.Duration,
        "google.protobuf.Timestamp" => SpecialForm.Timestamp,
        "google.protobuf.Struct" => SpecialForm.Struct,
        "google.protobuf.Value" => SpecialForm.Value,
        "google.protobuf.ListValue" => SpecialForm.ListValue,
        "google.protobuf.BoolValue" or "google.protobuf.Int32Value" or "google.protobuf.Int64Value" or "google.protobuf.UInt32Value"
            or "google.protobuf.UInt64Value" or "google.protobuf.FloatValue" or "google.protobuf.DoubleValue" or "google.protobuf.StringValue"
            or "google.protobuf.BytesValue" => SpecialForm.Wrapper,
        _ => SpecialForm.None,
    };
}
