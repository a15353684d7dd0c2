using System.Buffers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Nuncio.Xds.Json;

namespace Nuncio.Xds;

/// <summary>
/// Envoy v3 messages in the JSON form that Envoy reads and writes (the protobuf JSON mapping with proto field names): what
/// <c>envoy -c</c> takes and <c>/config_dump</c> shows.
/// Out: snake_case names in the order of field numbers, 64-bit integers as strings, durations as <c>1.500s</c>, an <c>Any</c> as its
/// content beside <c>@type</c>, map entries in ordinal order, nothing that has its default. Equal messages give equal text.
/// In: snake_case and lowerCamelCase names; a field that the contract does not have is an error, not ignored.
/// </summary>
public static class XdsJson
{
    /// <summary>How deep messages may be nested, as protobuf's own parsers limit it.</summary>
    public const int MaxDepth = 100;

    private static readonly JsonDocumentOptions ReadOptions = new() { MaxDepth = MaxDepth };

    /// <summary>The message as text.</summary>
    /// <param name="message">Any message of the contract or a well-known type.</param>
    /// <param name="indented">With line breaks and two spaces a level.</param>
    public static string Format(IMessage message, bool indented = false)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        Write(message, buffer, indented);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Writes the message as UTF-8.</summary>
    public static void Write(IMessage message, IBufferWriter<byte> output, bool indented = false)
    {
        ArgumentNullException.ThrowIfNull(message);
        using var json = CreateWriter(output, indented);
        Write(message, json);
    }

    /// <summary>
    /// Writes the message as one value of a larger JSON text; <see cref="CreateWriter"/> gives a writer that escapes no more than Envoy does.
    /// </summary>
    public static void Write(IMessage message, Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(json);
        XdsJsonWriter.WriteMessage(json, message);
    }

    /// <summary>A JSON writer with the escaping and indentation of this form; the caller disposes it.</summary>
    public static Utf8JsonWriter CreateWriter(IBufferWriter<byte> output, bool indented = false) => new(output, new JsonWriterOptions
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Indented = indented,
        MaxDepth = 1000,
        SkipValidation = true,
    });

    /// <summary>Reads a message from UTF-8 text.</summary>
    /// <param name="utf8">One JSON object.</param>
    /// <param name="message">The message, or null when the text is refused.</param>
    /// <param name="error">Why it is refused, or null.</param>
    public static bool TryParse<T>(ReadOnlyMemory<byte> utf8, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? message,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out XdsJsonError? error)
        where T : class, IMessage, new()
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8, ReadOptions);
        }
        catch (JsonException e)
        {
            message = null;
            error = new XdsJsonError("", e.Message);
            return false;
        }

        using (document)
        {
            return TryParse(document.RootElement, out message, out error);
        }
    }

    /// <summary>Reads a message from text.</summary>
    public static bool TryParse<T>(string json, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? message,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out XdsJsonError? error)
        where T : class, IMessage, new()
    {
        ArgumentNullException.ThrowIfNull(json);
        return TryParse(Encoding.UTF8.GetBytes(json), out message, out error);
    }

    /// <summary>Reads a message from one value of a larger JSON text.</summary>
    public static bool TryParse<T>(JsonElement json, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? message,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out XdsJsonError? error)
        where T : class, IMessage, new()
    {
        var result = new T();
        error = new XdsJsonReader().Read(json, result);
        message = error is null ? result : null;
        return error is null;
    }
}
