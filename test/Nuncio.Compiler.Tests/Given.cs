using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Tests;

/// <summary>Short ways to resources, and to what the compiler's Mapping half makes of them.</summary>
internal static class Given
{
    public static MappingResource Mapping(
        string name, string prefix = "/x/", string service = "svc", string @namespace = "default", Func<MappingSpec, MappingSpec>? with = null)
    {
        var spec = new MappingSpec { Prefix = prefix, Service = service, Hostname = "*" };
        return new MappingResource
        {
            Key = new ResourceKey(MappingResource.KindName, @namespace, name),
            Spec = with is null ? spec : with(spec),
        };
    }

    public static ModuleResource Module(AmbassadorModuleConfig config) =>
        new() { Key = new ResourceKey(ModuleResource.KindName, "default", "ambassador"), Ambassador = config };

    /// <summary>No probes and no diagnostics, so that tests see their own Mappings only.</summary>
    public static AmbassadorModuleConfig Quiet { get; } = new()
    {
        Diagnostics = new ProbeConfig { Enabled = false },
        LivenessProbe = new ProbeConfig { Enabled = false },
        ReadinessProbe = new ProbeConfig { Enabled = false },
    };

    public static ResourceSnapshot Snapshot(params MappingResource[] mappings) => new() { Mappings = [.. mappings], Modules = [Module(Quiet)] };
}

/// <summary>The passes from Mappings to routes and clusters, without Hosts and Listeners.</summary>
internal sealed class MappingHalf(CompilerOptions? options = null)
{
    private readonly CompilerMemo _memo = new();

    public RouteSettings Settings { get; set; } = RouteSettings.None;

    public CompilerContext Run(ResourceSnapshot snapshot)
    {
        var context = new CompilerContext(options ?? CompilerOptions.Default, snapshot, _memo) { RouteSettings = Settings };
        foreach (var pass in CompilerPasses.MappingHalf)
            pass.Run(context);
        return context;
    }

    /// <summary>The routes for a listener that serves everything securely.</summary>
    public static ImmutableArray<RouteV3.Route> Routes(
        CompilerContext context, SecurityModel model = SecurityModel.Secure, InsecureAction action = InsecureAction.Route) =>
            [.. context.Groups.SelectMany(group => RouteEmitter.Emit(group, model, action)).Select(route => route.Message)];
}
