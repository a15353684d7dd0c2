using System.Text.Json;
using Envoy.Extensions.AccessLoggers.File.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Validation;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Modules;
using AccessLogMessage = Envoy.Config.Accesslog.V3.AccessLog;

namespace Nuncio.Compiler.Telemetry;

/// <summary>The access log that the Module <c>ambassador</c> asks for (SPEC 10.5).</summary>
internal static class AccessLogPlanner
{
    private const string DefaultPath = "/dev/fd/1";

    private const string DefaultText =
        "ACCESS [%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% "
        + "%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" "
        + "\"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"";

    private static readonly (string Name, string Format)[] DefaultFields =
    [
        ("start_time", "%START_TIME%"),
        ("method", "%REQ(:METHOD)%"),
        ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"),
        ("protocol", "%PROTOCOL%"),
        ("response_code", "%RESPONSE_CODE%"),
        ("response_flags", "%RESPONSE_FLAGS%"),
        ("bytes_received", "%BYTES_RECEIVED%"),
        ("bytes_sent", "%BYTES_SENT%"),
        ("duration", "%DURATION%"),
        ("upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
        ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"),
        ("user_agent", "%REQ(USER-AGENT)%"),
        ("request_id", "%REQ(X-REQUEST-ID)%"),
        ("authority", "%REQ(:AUTHORITY)%"),
        ("upstream_host", "%UPSTREAM_HOST%"),
        ("upstream_cluster", "%UPSTREAM_CLUSTER%"),
        ("upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"),
        ("downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"),
        ("downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
        ("requested_server_name", "%REQUESTED_SERVER_NAME%"),
        ("istio_policy_status", "%DYNAMIC_METADATA(istio.mixer:status)%"),
        ("upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"),
    ];

    /// <summary>The log to a file; a format that Envoy would refuse is a finding, and the default is used.</summary>
    /// <param name="module">The Module, for findings.</param>
    /// <param name="config">Its keys.</param>
    /// <param name="withDatadog">Whether trace ids of Datadog are part of the default JSON format.</param>
    /// <param name="findings">Where what is wrong goes.</param>
    public static AccessLogMessage Plan(ModuleResource? module, AmbassadorModuleConfig config, bool withDatadog, FindingSink findings)
    {
        var log = new FileAccessLog { Path = config.EnvoyLogPath is { Length: > 0 } path ? path : DefaultPath };
        switch (config.EnvoyLogType?.ToLowerInvariant())
        {
            case "json":
                log.JsonFormat = Json(module, config, withDatadog, findings);
                break;
            case "typed_json":
                log.TypedJsonFormat = Json(module, config, withDatadog, findings);
                break;
            default:
                log.LogFormat = new CoreV3.SubstitutionFormatString
                {
                    TextFormatSource = new CoreV3.DataSource { InlineString = Text(module, config, findings) + "\n" },
                };
                break;
        }
        return new AccessLogMessage { Name = "envoy.access_loggers.file", TypedConfig = RouteMessages.Pack(log) };
    }

    private static string Text(ModuleResource? module, AmbassadorModuleConfig config, FindingSink findings)
    {
        if (config.EnvoyLogJsonFormat is not null)
        {
            findings.Error(
                module, FindingCodes.AccessLogFormatInvalid, "spec.config.envoy_log_format", "envoy_log_type text needs a text; the default format is used");
        }
        if (config.EnvoyLogTextFormat is not { Length: > 0 } text) return DefaultText;
        if (Problem(text) is not { } problem) return text;
        findings.Error(module, FindingCodes.AccessLogFormatInvalid, "spec.config.envoy_log_format", $"{problem}; the default format is used");
        return DefaultText;
    }

    private static Struct Json(ModuleResource? module, AmbassadorModuleConfig config, bool withDatadog, FindingSink findings)
    {
        if (config.EnvoyLogTextFormat is not null)
        {
            findings.Error(
                module, FindingCodes.AccessLogFormatInvalid, "spec.config.envoy_log_format", "a JSON log needs an object; the default format is used");
        }
        if (config.EnvoyLogJsonFormat is { } json)
        {
            using var document = JsonDocument.Parse(json.Text);
            if (Fields(document.RootElement, out var problem) is { } fields) return fields;
            findings.Error(module, FindingCodes.AccessLogFormatInvalid, "spec.config.envoy_log_format", $"{problem}; the default format is used");
        }
        var defaults = new Struct();
        foreach (var (name, format) in DefaultFields) defaults.Fields[name] = Value.ForString(format);
        if (withDatadog)
        {
            defaults.Fields["dd.trace_id"] = Value.ForString("%REQ(X-DATADOG-TRACE-ID)%");
            defaults.Fields["dd.span_id"] = Value.ForString("%REQ(X-DATADOG-PARENT-ID)%");
        }
        return defaults;
    }

    /// <summary>Envoy takes texts, numbers, objects and lists of these; null and booleans it refuses.</summary>
    private static Struct? Fields(JsonElement element, out string problem)
    {
        problem = "";
        var fields = new Struct();
        foreach (var property in element.EnumerateObject())
        {
            if (FieldValue(property.Value, out problem) is not { } value)
            {
                problem = $"{property.Name}: {problem}";
                return null;
            }
            fields.Fields[property.Name] = value;
        }
        return fields;
    }

    private static Value? FieldValue(JsonElement element, out string problem)
    {
        problem = "";
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                var text = element.GetString() ?? "";
                problem = Problem(text) ?? "";
                return problem.Length == 0 ? Value.ForString(text) : null;
            case JsonValueKind.Number:
                return Value.ForNumber(element.GetDouble());
            case JsonValueKind.Object:
                return Fields(element, out problem) is { } inner ? Value.ForStruct(inner) : null;
            case JsonValueKind.Array:
                var values = new List<Value>();
                foreach (var item in element.EnumerateArray())
                {
                    if (FieldValue(item, out problem) is not { } value) return null;
                    values.Add(value);
                }
                return Value.ForList([.. values]);
            default:
                problem = "only texts, numbers, objects and lists can be logged";
                return null;
        }
    }

    /// <summary>Line breaks are fine in a log.</summary>
    private static string? Problem(string text) =>
        FormatRules.Problem(text.Replace('\n', ' ').Replace('\r', ' '));
}
