using System.Text.Json;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Google.Protobuf;
using Nuncio.Testing;
using Xunit.Abstractions;

namespace Nuncio.Xds.Tests;

/// <summary>Every recorded Envoy configuration goes through the contract and comes out as it was.</summary>
public class XdsJsonOracleTests(ITestOutputHelper output)
{
    /// <summary>What Envoy refuses too, as the recording found: no such field, no such value, a number for a string, two members of a oneof.</summary>
    private static readonly string[] RefusedByEnvoy =
    [
        ".header_key_format.custom", ".set_current_client_cert_details.invalid", ".forward_client_cert_details", ".server_name",
        ".route.host_rewrite_literal", ".inline_code",
    ];

    [SkippableFact]
    public void EnvoyJson_OfEveryCase_SurvivesTheRoundTrip()
    {
        var failures = new List<string>();
        var messages = 0;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(TestPaths.RequireOracle(), "dev"), "envoy.json", SearchOption.AllDirectories).Order())
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            if (!document.RootElement.TryGetProperty("static_resources", out var resources)) continue;
            var name = Path.GetFileName(Path.GetDirectoryName(file));
            foreach (var listener in resources.GetProperty("listeners").EnumerateArray()) Check<Listener>(listener);
            foreach (var cluster in resources.GetProperty("clusters").EnumerateArray()) Check<Cluster>(cluster);

            void Check<T>(JsonElement json)
                where T : class, IMessage<T>, new()
            {
                messages++;
                if (!XdsJson.TryParse<T>(json, out var message, out var error))
                {
                    if (!RefusedByEnvoy.Any(field => error.FieldPath.EndsWith(field, StringComparison.Ordinal))) failures.Add($"{name}: {error}");
                    return;
                }

                var text = XdsJson.Format(message);
                if (!XdsJson.TryParse<T>(text, out var again, out error)) failures.Add($"{name}: second reading: {error}");
                else if (!again.Equals(message) || !XdsBytes.Serialize(again).AsSpan().SequenceEqual(XdsBytes.Serialize(message)))
                    failures.Add($"{name}: not the same message");
                using var written = JsonDocument.Parse(text);
                if (JsonDifference.Find(json, written.RootElement) is { } difference) failures.Add($"{name}: {difference}");
            }
        }

        foreach (var failure in failures.Take(60)) output.WriteLine(failure);
        messages.ShouldBeGreaterThan(2000);
        failures.Count.ShouldBe(0);
    }
}
