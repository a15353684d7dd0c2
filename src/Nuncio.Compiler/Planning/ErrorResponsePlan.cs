using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.HttpFilters;

namespace Nuncio.Compiler.Planning;

/// <summary>The body that takes the place of an error's.</summary>
/// <param name="Status">Of these responses.</param>
/// <param name="Form"><c>t</c> for text or <c>j</c> for JSON, then the text with its operators; one after <c>%=</c> becomes a JSON value of its own.</param>
/// <param name="ContentType">The response's.</param>
public sealed record ErrorResponseBody(int Status, string Form, string ContentType);

/// <summary><c>error_response_overrides</c>, checked.</summary>
/// <param name="Bodies">By status, each once.</param>
/// <param name="HeaderNames">The request headers that they name, in lower case, parted by commas.</param>
public sealed record ErrorResponsePlan(ValueList<ErrorResponseBody> Bodies, string HeaderNames)
{
    /// <summary>No body: responses stay as they are.</summary>
    public static ErrorResponsePlan None { get; } = new(ValueList<ErrorResponseBody>.Empty, "");

    /// <summary>As a route's metadata for the filter.</summary>
    public Struct ToMetadata()
    {
        var fields = new Struct { Fields = { [ErrorResponseScript.OwnKey] = Value.ForString("1") } };
        if (HeaderNames.Length > 0) fields.Fields[ErrorResponseScript.NamesKey] = Value.ForString(HeaderNames);
        foreach (var body in Bodies)
        {
            var status = body.Status.ToString(System.Globalization.CultureInfo.InvariantCulture);
            fields.Fields[status] = Value.ForString(body.Form);
            fields.Fields[status + ":type"] = Value.ForString(body.ContentType);
        }
        return fields;
    }
}
