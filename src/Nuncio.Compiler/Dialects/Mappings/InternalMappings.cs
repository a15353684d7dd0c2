using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>The Mappings of the Module's <c>diagnostics</c>, <c>liveness_probe</c> and <c>readiness_probe</c> (SPEC 4.5).</summary>
internal static class InternalMappings
{
    private const string DefaultService = "127.0.0.1:8877";

    /// <summary>In the order in which Emissary adds them.</summary>
    public static ImmutableArray<MappingResource> Of(ModulePlan module, CompilerOptions options)
    {
        var mappings = ImmutableArray.CreateBuilder<MappingResource>(3);
        Add("liveness", module.Config.LivenessProbe, "/ambassador/v0/check_alive");
        Add("readiness", module.Config.ReadinessProbe, "/ambassador/v0/check_ready");
        Add("diagnostics", module.Config.Diagnostics, "/ambassador/v0/");
        return mappings.ToImmutable();

        // A block that is written without "enabled" disables in Emissary; here only a false does.
        void Add(string name, ProbeConfig? config, string path)
        {
            if (config?.Enabled == false)
                return;
            mappings.Add(new MappingResource
            {
                Key = new ResourceKey(MappingResource.KindName, options.Namespace, $"internal_{name}_probe_mapping"),
                Text = module.Resource?.Text,
                Spec = new MappingSpec
                {
                    Prefix = string.IsNullOrEmpty(config?.Prefix) ? path : config.Prefix,
                    Rewrite = string.IsNullOrEmpty(config?.Rewrite) ? path : config.Rewrite,
                    Service = string.IsNullOrEmpty(config?.Service) ? DefaultService : config.Service,
                    Hostname = "*",
                    TimeoutMs = 10_000,
                },
            });
        }
    }
}
