using System.IO.Compression;
using System.Text;
using Envoy.Extensions.Compression.Gzip.Compressor.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using CompressorV3 = Envoy.Extensions.Filters.Http.Compressor.V3;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the compressor filter with gzip.</summary>
public sealed class CompressorBinder : HttpFilterBinder
{
    private const uint DefaultMinContentLength = 30;

    private static readonly string[] DefaultContentTypes =
    [
        "application/javascript", "application/json", "application/xhtml+xml", "image/svg+xml", "text/css", "text/html", "text/plain", "text/xml",
    ];

    /// <inheritdoc/>
    public override string ConfigType => CompressorV3.Compressor.Descriptor.FullName;

    /// <inheritdoc/>
    public override string RouteConfigType => CompressorV3.CompressorPerRoute.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors)
    {
        if (Unpack<CompressorV3.Compressor>(config, path, errors) is not { } message)
        {
            return null;
        }

        SupportedFields.Check(message, path, errors, "compressor_library", "response_direction_config", "choose_first");
        var library = message.CompressorLibrary?.TypedConfig;
        if (Any.GetTypeName(library?.TypeUrl ?? "") != Gzip.Descriptor.FullName || Unpack<Gzip>(library!, path, errors) is not { } gzip)
        {
            errors.Add(BindErrors.Path(path, "compressor_library"), "Only gzip is supported by the embedded proxy.");
            return null;
        }

        var response = message.ResponseDirectionConfig;
        var types = response?.CommonConfig?.ContentType is { Count: > 0 } given ? given.ToArray() : DefaultContentTypes;
        return new CompressorFilter
        {
            Name = name,
            Index = index,
            MinContentLength = response?.CommonConfig?.MinContentLength ?? DefaultMinContentLength,
            ContentTypes = [.. types.Select(type => Encoding.ASCII.GetBytes(type.ToLowerInvariant()))],
            DisableOnEtag = response?.DisableOnEtagHeader ?? false,
            RemoveAcceptEncoding = response?.RemoveAcceptEncodingHeader ?? false,
            Level = (int)gzip.CompressionLevel switch
            {
                >= 1 and <= 3 => CompressionLevel.Fastest,
                9 => CompressionLevel.SmallestSize,
                _ => CompressionLevel.Optimal,
            },
        };
    }

    /// <inheritdoc/>
    public override object? BindRoute(Any config, string path, BindErrors errors)
    {
        if (Unpack<CompressorV3.CompressorPerRoute>(config, path, errors) is not { } message)
        {
            return null;
        }

        if (message.Disabled)
        {
            return DisabledFilterConfig.Instance;
        }

        errors.Add(BindErrors.Path(path, "overrides"), "Overrides are not supported by the embedded proxy.");
        return null;
    }
}
