using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Envoy.Config.Bootstrap.V3;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Xds.Bootstrap;

/// <summary>What a bootstrap holds that a data plane serves.</summary>
/// <param name="Snapshot">Its static resources, those left out that could not be read.</param>
/// <param name="Errors">Why resources were left out; the path is that in the file.</param>
public sealed record BootstrapReading(XdsSnapshot Snapshot, ImmutableArray<XdsJsonError> Errors);

/// <summary>
/// Reads the static resources of a bootstrap, as <c>envoy -c</c> takes it, for a data plane that is not Envoy. Each resource is read by itself, so that a field
/// outside the supported part of Envoy's API costs the resource it stands in. What Envoy alone needs (node, admin address, dynamic resources) is passed over.
/// </summary>
public static class BootstrapReader
{
    private static readonly JsonDocumentOptions Options = new()
    {
        MaxDepth = XdsJson.MaxDepth,
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>Reads one JSON text.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="revision">The revision of the snapshot.</param>
    public static BootstrapReading Read(ReadOnlyMemory<byte> utf8, long revision)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8, Options);
        }
        catch (JsonException e)
        {
            return new BootstrapReading(XdsSnapshot.Empty, [new XdsJsonError("", e.Message)]);
        }

        using (document)
        {
            var errors = ImmutableArray.CreateBuilder<XdsJsonError>();
            if (Member(document.RootElement, "static_resources") is not { } resources)
            {
                errors.Add(new XdsJsonError("static_resources", "There is none, so nothing is served"));
                return new BootstrapReading(XdsSnapshot.Empty, errors.ToImmutable());
            }

            var snapshot = new XdsSnapshot
            {
                Revision = revision,
                Listeners = Resources<Listener>(resources, "listeners", listener => listener.Name, errors),
                Clusters = Resources<Cluster>(resources, "clusters", cluster => cluster.Name, errors),
                Secrets = Resources<Secret>(resources, "secrets", secret => secret.Name, errors),
                Runtime = Runtime(document.RootElement, errors),
            };
            return new BootstrapReading(snapshot, errors.ToImmutable());
        }
    }

    private static FrozenDictionary<string, XdsResource<T>> Resources<T>(
        JsonElement parent, string field, Func<T, string> nameOf, ImmutableArray<XdsJsonError>.Builder errors)
        where T : class, IMessage, new()
    {
        var found = new Dictionary<string, XdsResource<T>>(StringComparer.Ordinal);
        if (Member(parent, field) is not { ValueKind: JsonValueKind.Array } list)
            return found.ToFrozenDictionary(StringComparer.Ordinal);
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"static_resources.{field}[{index++}]");
            if (!XdsJson.TryParse<T>(item, out var message, out var error))
            {
                errors.Add(new XdsJsonError(error.FieldPath.Length == 0 ? path : $"{path}.{error.FieldPath}", error.Message));
                continue;
            }

            var name = nameOf(message) is { Length: > 0 } given ? given : path;
            if (!found.TryAdd(name, XdsResource<T>.Create(name, message)))
                errors.Add(new XdsJsonError(path + ".name", $"'{name}' is the name of an earlier one"));
        }

        return found.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>The static layers, of which the later ones win.</summary>
    private static Struct? Runtime(JsonElement root, ImmutableArray<XdsJsonError>.Builder errors)
    {
        if (Member(root, "layered_runtime") is not { } json)
            return null;
        if (!XdsJson.TryParse<LayeredRuntime>(json, out var layers, out var error))
        {
            errors.Add(new XdsJsonError(error.FieldPath.Length == 0 ? "layered_runtime" : $"layered_runtime.{error.FieldPath}", error.Message));
            return null;
        }

        var merged = new Struct();
        foreach (var layer in layers.Layers)
        {
            foreach (var (name, value) in layer.StaticLayer?.Fields ?? [])
                merged.Fields[name] = value;
        }

        return merged;
    }

    private static JsonElement? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : null;
}
