using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Validation;

/// <summary>Reads <c>error_response_overrides</c> (SPEC 15.12). One that is wrong is a finding, and responses of its status stay as they are.</summary>
internal static partial class ErrorResponseRules
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads a list.</summary>
    public static ErrorResponsePlan Read(Resource resource, string field, IReadOnlyList<ErrorResponseOverride> overrides, FindingSink findings)
    {
        var bodies = new List<ErrorResponseBody>();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < overrides.Count; i++)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"{field}[{i}]");
            var each = overrides[i];
            if (bodies.Exists(body => body.Status == each.OnStatusCode))
            {
                findings.Warning(resource, FindingCodes.FieldWithoutEffect, $"{path}.on_status_code", $"has no effect: {each.OnStatusCode} has a body already");
                continue;
            }
            if (Body(each, names, out var problem, out var at) is { } found) bodies.Add(found);
            else
                findings.Error(resource, FindingCodes.InvalidFieldValue, $"{path}.body{at}", $"{problem}; responses with {each.OnStatusCode} stay as they are");
        }
        return new ErrorResponsePlan(bodies.ToValueList(), string.Join(',', names));
    }

    private static ErrorResponseBody? Body(ErrorResponseOverride each, SortedSet<string> names, out string problem, out string at)
    {
        at = "";
        problem = "";
        if ((each.TextFormat is null ? 0 : 1) + (each.JsonFormat is null ? 0 : 1) + (each.TextFormatFile is null ? 0 : 1) != 1)
        {
            problem = "exactly one of text_format, json_format and text_format_source is needed";
            return null;
        }
        if (each.TextFormatFile is not null)
        {
            at = ".text_format_source";
            problem = "files are not read: write the text as text_format";
            return null;
        }
        if (each.ContentType is { } type && (type.Length == 0 || !HeaderRules.IsValue(type)))
        {
            at = ".content_type";
            problem = "this is no content type";
            return null;
        }
        if (each.TextFormat is { } text)
        {
            at = ".text_format";
            return Form(text, names, json: false, out problem) is { } form
                ? new ErrorResponseBody(each.OnStatusCode, "t" + form, each.ContentType ?? "text/plain") : null;
        }
        at = ".json_format";
        return Json(each.JsonFormat!, names, out problem) is { } json
            ? new ErrorResponseBody(each.OnStatusCode, "j" + json, each.ContentType ?? "application/json") : null;
    }

    private static string? Json(ValueMap<string> fields, SortedSet<string> names, out string problem)
    {
        problem = "";
        var json = new StringBuilder("{");
        foreach (var (name, value) in fields)
        {
            if (json.Length > 1) json.Append(',');
            json.Append(Literal(name)).Append(':');
            if (Operator().Match(value) is { Success: true } alone && alone.Length == value.Length)
            {
                if (Form(value, names, json: true, out problem) is not { } only) return null;
                json.Append("%=").Append(only[1..]);
                continue;
            }
            if (Form(value, names, json: true, out problem) is not { } form) return null;
            json.Append('"').Append(form).Append('"');
        }
        return json.Append('}').ToString();
    }

    private static string Literal(string text) => JsonSerializer.Serialize(text, Relaxed).Replace("%", "%%", StringComparison.Ordinal);

    /// <summary>The text with its operators as the script reads them; null where Envoy would refuse one, or the script does not know it.</summary>
    private static string? Form(string text, SortedSet<string> names, bool json, out string problem)
    {
        problem = "";
        var form = new StringBuilder();
        var at = 0;
        while (at < text.Length)
        {
            var mark = text.IndexOf('%', at);
            Add(text[at..(mark < 0 ? text.Length : mark)]);
            if (mark < 0) break;
            if (mark + 1 < text.Length && text[mark + 1] == '%')
            {
                form.Append("%%");
                at = mark + 2;
                continue;
            }
            var match = Operator().Match(text, mark);
            if (!match.Success || match.Index != mark)
            {
                problem = "a percent sign must be written twice, or begin an operator such as %RESPONSE_CODE%";
                return null;
            }
            if (!IsKnown(match.Groups["name"].Value, match.Groups["argument"].Value, names))
            {
                problem = $"{match.Value} is not supported here: REQ, RESP, RESPONSE_CODE, PROTOCOL and START_TIME are";
                return null;
            }
            form.Append(match.Groups["name"].Value == "REQ"
                ? match.Value.Replace(match.Groups["argument"].Value, match.Groups["argument"].Value.ToLowerInvariant(), StringComparison.Ordinal)
                : match.Value);
            at = mark + match.Length;
        }
        return form.ToString();

        void Add(string literal) => form.Append(json ? JsonSerializer.Serialize(literal, Relaxed)[1..^1] : literal);
    }

    private static bool IsKnown(string name, string argument, SortedSet<string> names)
    {
        if (name is "RESPONSE_CODE" or "PROTOCOL" or "START_TIME") return argument.Length == 0;
        if (name is not ("REQ" or "RESP")) return false;
        var headers = argument.Split('?');
        if (headers.Length > 2 || !headers.All(static header => HeaderRules.IsToken(header.TrimStart(':')))) return false;
        if (name == "REQ") names.UnionWith(headers.Select(static header => header.ToLowerInvariant()));
        return true;
    }

    [GeneratedRegex(@"%(?<name>[A-Z0-9_]+)(\((?<argument>[^)%]+)\))?(:[0-9]+)?%", RegexOptions.ExplicitCapture)]
    private static partial Regex Operator();
}
