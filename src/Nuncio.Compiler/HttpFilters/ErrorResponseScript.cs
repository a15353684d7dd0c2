using System.Globalization;
using System.Text;
using Envoy.Extensions.Filters.Http.Lua.V3;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>
/// The script that puts other bodies in place of those of error responses (SPEC 15.12). Emissary's own Envoy had a filter for it that stock Envoy does not
/// have; what stock Envoy has (custom_response) throws away the headers of the response, such as <c>www-authenticate</c> and those of CORS.
/// </summary>
internal static class ErrorResponseScript
{
    /// <summary>The filter's name, under which routes have what their Mappings say.</summary>
    public const string FilterName = "nuncio.error_response_overrides";

    /// <summary>Set where the route's own bodies count instead of the Module's, be they none.</summary>
    public const string OwnKey = "own";

    /// <summary>The request headers that the bodies name.</summary>
    public const string NamesKey = "names";

    private const string Code = """
        local space = "nuncio.error_response_overrides"

        local function lists_own(metadata) return metadata:get("own") ~= nil end

        function envoy_on_request(handle)
          local headers, seen, metadata = handle:headers(), handle:streamInfo():dynamicMetadata(), handle:metadata()
          if headers:get(":method") == "HEAD" or string.sub(headers:get("content-type") or "", 1, 16) == "application/grpc" then seen:set(space, "skip", "1") end
          local wanted = names
          if lists_own(metadata) then wanted = metadata:get("names") or "" end
          for name in string.gmatch(wanted, "[^,]+") do
            local value = headers:get(name)
            if value ~= nil then seen:set(space, "request:" .. name, value) end
          end
          seen:set(space, "start", handle:timestampString())
        end

        local function escape(text)
          return (string.gsub(text, '[%c"\\]', function(c) return string.format("\\u%04x", string.byte(c)) end))
        end

        local function value_of(operator, handle, headers, seen)
          local name, argument, limit = string.match(operator, "^([A-Z0-9_]+)%(?([^)]*)%)?:?(%d*)$")
          local found
          if name == "RESPONSE_CODE" then return headers:get(":status"), true end
          if name == "REQ" or name == "RESP" then
            for header in string.gmatch(argument, "[^?]+") do
              if found == nil then
                if name == "REQ" then found = seen["request:" .. header] else found = headers:get(header) end
              end
            end
          elseif name == "PROTOCOL" then found = handle:streamInfo():protocol()
          elseif name == "START_TIME" and seen.start ~= nil then
            local start = tonumber(seen.start)
            found = os.date("!%Y-%m-%dT%H:%M:%S", math.floor(start / 1000)) .. string.format(".%03dZ", start % 1000)
          end
          if found ~= nil and limit ~= "" then found = string.sub(found, 1, tonumber(limit)) end
          return found, false
        end

        function envoy_on_response(handle)
          local headers, metadata = handle:headers(), handle:metadata()
          local status = headers:get(":status")
          local form, kind
          if lists_own(metadata) then form, kind = metadata:get(status), metadata:get(status .. ":type")
          elseif bodies[status] ~= nil then form, kind = bodies[status][1], bodies[status][2] end
          if form == nil then return end
          local seen = handle:streamInfo():dynamicMetadata():get(space) or {}
          if seen.skip ~= nil then return end
          local json = string.sub(form, 1, 1) == "j"
          local text = string.gsub(string.sub(form, 2), "%%([^%%]*)%%", function(operator)
            if operator == "" then return "%" end
            local alone = string.sub(operator, 1, 1) == "="
            local found, is_number = value_of(alone and string.sub(operator, 2) or operator, handle, headers, seen)
            if alone then
              if found == nil then return "null" end
              return is_number and found or '"' .. escape(found) .. '"'
            end
            found = found or "-"
            return json and escape(found) or found
          end)
          handle:body(true):setBytes(text)
          headers = handle:headers()
          headers:replace("content-type", kind)
          headers:remove("content-encoding")
          headers:remove("etag")
        end

        """;

    /// <summary>The filter; null where neither the Module nor a Mapping asks for it.</summary>
    public static Lua? Filter(ModulePlan module, IEnumerable<MappingResource> mappings) =>
        module.ErrorResponses is null && !mappings.Any(static mapping => mapping.Spec.ErrorResponseOverrides is not null)
            ? null : new Lua
            {
                DefaultSourceCode = new CoreV3.DataSource { InlineString = Script(module.ErrorResponses ?? ErrorResponsePlan.None) },
                ClearRouteCache = false,
            };

    private static string Script(ErrorResponsePlan plan)
    {
        var text = new StringBuilder("local names = ").Append(Quote(plan.HeaderNames)).Append("\nlocal bodies = {\n");
        foreach (var body in plan.Bodies)
            text.Append(CultureInfo.InvariantCulture, $"  [\"{body.Status}\"] = {{ {Quote(body.Form)}, {Quote(body.ContentType)} }},\n");
        return text.Append("}\n").Append(Code).ToString();
    }

    // Bytes that could end the text, or are no printable ASCII, by their numbers.
    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            if (octet is >= 0x20 and < 0x7F and not (byte)'"' and not (byte)'\\') quoted.Append((char)octet);
            else quoted.Append(CultureInfo.InvariantCulture, $"\\{octet:D3}");
        }
        return quoted.Append('"').ToString();
    }
}
