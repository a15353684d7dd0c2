using System.Globalization;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>The Module's <c>runtime_flags</c> and what else Envoy reads from its runtime (SPEC 4.5).</summary>
internal static class RuntimeFlags
{
    private static readonly string[] Counts =
    [
        "http.max_requests_per_io_cycle",
        "overload.premature_reset_min_stream_lifetime_seconds",
        "overload.premature_reset_total_stream_count",
    ];

    private const string GoAway = "envoy.restart_features.send_goaway_for_premature_rst_streams";

    /// <summary>The static layer.</summary>
    public static Struct Plan(ModulePlan module, FindingSink findings)
    {
        var layer = new Struct { Fields = { ["re2.max_program_size.error_level"] = Value.ForNumber(module.RegexMaxSize) } };
        foreach (var (name, json) in module.Config.RuntimeFlags ?? ValueMap<JsonText>.Empty)
        {
            using var document = JsonDocument.Parse(json.Text);
            var value = document.RootElement;
            if (Array.IndexOf(Counts, name) >= 0)
            {
                if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number > 0) layer.Fields[name] = Value.ForNumber(number);
                else Wrong(name, "must be a whole number above 0");
            }
            else if (name == GoAway)
            {
                if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) layer.Fields[name] = Value.ForBool(value.GetBoolean());
                else Wrong(name, "must be true or false");
            }
            else
            {
                Wrong(name, "is not a flag that can be set");
            }
        }
        return layer;

        void Wrong(string name, string message) =>
            findings.Error(
                module.Resource,
                FindingCodes.RuntimeFlagInvalid,
                string.Create(CultureInfo.InvariantCulture, $"spec.config.runtime_flags.{name}"),
                message);
    }
}
