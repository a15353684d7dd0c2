using Envoy.Extensions.Compression.Gzip.Compressor.V3;
using Envoy.Extensions.Filters.Http.Compressor.V3;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Validation;
using Nuncio.Resources.Modules;
using BufferFilter = Envoy.Extensions.Filters.Http.Buffer.V3.Buffer;
using GrpcStatsFilter = Envoy.Extensions.Filters.Http.GrpcStats.V3.FilterConfig;
using LuaFilter = Envoy.Extensions.Filters.Http.Lua.V3.Lua;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>
/// The filters that the Module <c>ambassador</c> asks for (SPEC 4.5, 9). A value that Envoy would refuse is a finding and left at its default.
/// </summary>
internal static class ModuleFilters
{
    /// <summary>Which gRPC calls are counted; null when not asked for.</summary>
    public static GrpcStatsFilter? GrpcStats(AmbassadorModuleConfig config)
    {
        if (config.GrpcStats is not { } stats) return null;
        var filter = new GrpcStatsFilter { EnableUpstreamStats = stats.UpstreamStats ?? false };
        if (stats.Services is { } services)
        {
            filter.IndividualMethodStatsAllowlist = new CoreV3.GrpcMethodList();
            foreach (var service in services)
            {
                if (service.Name is not { Length: > 0 } name || service.MethodNames is not { Count: > 0 } methods) continue;
                filter.IndividualMethodStatsAllowlist.Services.Add(new CoreV3.GrpcMethodList.Types.Service { Name = name, MethodNames = { methods } });
            }
        }
        else
        {
            filter.StatsForAllMethods = stats.AllMethods ?? false;
        }
        return filter;
    }

    /// <summary>
    /// The script; null when there is none. One that is no Lua would have Envoy refuse everything; whatever it was for, requests do not pass without it.
    /// </summary>
    public static LuaFilter? Lua(ModuleResource? module, AmbassadorModuleConfig config, FindingSink findings)
    {
        if (config.LuaScripts is not { Length: > 0 } script) return null;
        if (LuaRules.Problem(script) is not { } problem) return new LuaFilter { InlineCode = script };
        findings.Error(module, FindingCodes.InvalidFieldValue, "spec.config.lua_scripts", $"{problem}; every request is answered with 500");
        return new LuaFilter { InlineCode = "function envoy_on_request(handle) handle:respond({[\":status\"] = \"500\"}, \"\") end" };
    }

    /// <summary>Requests are read whole before they go on; null when not asked for.</summary>
    public static BufferFilter? Buffer(ModuleResource? module, AmbassadorModuleConfig config, FindingSink findings)
    {
        if (config.Buffer is not { } buffer) return null;
        if (buffer.MaxRequestBytes is >= 1 and <= uint.MaxValue) return new BufferFilter { MaxRequestBytes = (uint)buffer.MaxRequestBytes };
        findings.Error(
            module,
            FindingCodes.InvalidFieldValue,
            "spec.config.buffer.max_request_bytes",
            "must be between 1 and 4294967295; requests are not buffered");
        return null;
    }

    /// <summary>Compresses responses; null when not asked for.</summary>
    public static Compressor? Gzip(ModuleResource? module, AmbassadorModuleConfig config, FindingSink findings)
    {
        if (config.Gzip is not { } gzip) return null;
        var library = new Gzip
        {
            MemoryLevel = InRange("memory_level", gzip.MemoryLevel, 1, 9),
            WindowBits = InRange("window_bits", gzip.WindowBits, 9, 15),
        };
        if (EnumNames.Read<Gzip.Types.CompressionLevel>(gzip.CompressionLevel) is { } level) library.CompressionLevel = level;
        else if (gzip.CompressionLevel is not null) Unknown("compression_level", gzip.CompressionLevel);
        if (EnumNames.Read<Gzip.Types.CompressionStrategy>(gzip.CompressionStrategy) is { } strategy) library.CompressionStrategy = strategy;
        else if (gzip.CompressionStrategy is not null) Unknown("compression_strategy", gzip.CompressionStrategy);

        var common = new Compressor.Types.CommonDirectionConfig { MinContentLength = InRange("min_content_length", gzip.MinContentLength, 0, uint.MaxValue) };
        foreach (var type in gzip.ContentType ?? [])
        {
            if (HeaderRules.IsValue(type) && type.Length > 0) common.ContentType.Add(type);
            else Unknown("content_type", type);
        }
        return new Compressor
        {
            CompressorLibrary = new CoreV3.TypedExtensionConfig { Name = "envoy.compression.gzip.compressor", TypedConfig = RouteMessages.Pack(library) },
            ResponseDirectionConfig = new Compressor.Types.ResponseDirectionConfig
            {
                CommonConfig = common,
                DisableOnEtagHeader = gzip.DisableOnEtagHeader ?? false,
                RemoveAcceptEncodingHeader = gzip.RemoveAcceptEncodingHeader ?? false,
            },
        };

        uint? InRange(string key, long? value, long least, long most)
        {
            if (value is null) return null;
            if (value >= least && value <= most) return (uint)value;
            findings.Error(module, FindingCodes.InvalidFieldValue, $"spec.config.gzip.{key}", $"must be between {least} and {most}; the default is used");
            return null;
        }

        void Unknown(string key, string value) =>
            findings.Error(module, FindingCodes.InvalidFieldValue, $"spec.config.gzip.{key}", $"'{value}' is not known; the default is used");
    }
}
