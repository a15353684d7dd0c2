using System.Globalization;
using Google.Protobuf;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Telemetry;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>Leaves what all HTTP listeners have in common, and what the routes have to know of it. The order of the filters is SPEC 9's.</summary>
internal sealed class HttpFilterPass : ICompilerPass
{
    /// <inheritdoc/>
    public void Run(CompilerContext context)
    {
        var module = context.Module;
        var config = module.Config;
        var findings = context.Findings;
        var manager = ConnectionManagerTemplate.Create(module, findings);
        var auth = AuthServicePlanner.Plan(context);
        var rateLimit = RateLimitServicePlanner.Plan(context);
        var tracing = TracingPlanner.Plan(context, out var isDatadog);

        var errors = ErrorResponseScript.Filter(module, context.Snapshot.Mappings);
        if (errors is not null) Add(ErrorResponseScript.FilterName, errors);
        if (config.EnableGrpcHttp11Bridge == true) Add(HttpFilterNames.GrpcHttp1Bridge, new Envoy.Extensions.Filters.Http.GrpcHttp1Bridge.V3.Config());
        if (config.EnableGrpcWeb == true) Add(HttpFilterNames.GrpcWeb, new Envoy.Extensions.Filters.Http.GrpcWeb.V3.GrpcWeb());
        if (ModuleFilters.GrpcStats(config) is { } stats) Add(HttpFilterNames.GrpcStats, stats);
        if (ModuleFilters.Lua(module.Resource, config, findings) is { } lua) Add(HttpFilterNames.Lua, lua);
        if (ModuleFilters.Gzip(module.Resource, config, findings) is { } gzip) Add(HttpFilterNames.Compressor, gzip);
        if (ModuleFilters.Buffer(module.Resource, config, findings) is { } buffer) Add(HttpFilterNames.Buffer, buffer);
        if (AddressRules.Plan(module.Resource, config, findings) is { } addresses) Add(HttpFilterNames.Rbac, addresses);
        Add(HttpFilterNames.Cors, new Envoy.Extensions.Filters.Http.Cors.V3.Cors());
        if (auth.Filter is { } authz) Add(HttpFilterNames.ExtAuthz, authz);
        if (rateLimit is not null)
        {
            Add(HttpFilterNames.RateLimit, rateLimit);
            if (rateLimit.RateLimitService.GrpcService.EnvoyGrpc.ClusterName == RateLimitServicePlanner.NoCluster) AddEmptyCluster(context);
        }
        Add(HttpFilterNames.Router, new Envoy.Extensions.Filters.Http.Router.V3.Router
        {
            SuppressEnvoyHeaders = config.SuppressEnvoyHeaders ?? false,
            StartChildSpan = tracing is not null,
        });

        if (LogServicePlanner.Plan(context) is { } remote) manager.AccessLog.Add(remote);
        manager.AccessLog.Add(AccessLogPlanner.Plan(module.Resource, config, isDatadog, findings));
        if (tracing is not null)
        {
            manager.Tracing = tracing;
            manager.GenerateRequestId = true;
        }
        context.Runtime = RuntimeFlags.Plan(module, findings);
        if (auth.Broken is { } broken) manager.LocalReplyConfig = BrokenAuthReply.Of(broken);

        var settings = new RouteSettings(
            auth.Filter is not null, rateLimit?.Domain, context.Options.InsecureRejectStatus, auth.Broken is not null, errors is not null);
        context.RouteSettings = Keep(context, settings);
        var bufferLimit = BufferLimit(module, findings);
        var version = new VersionComposer().Add(XdsVersion.Of(manager)).Add(bufferLimit?.ToString(CultureInfo.InvariantCulture) ?? "");
        foreach (var name in module.HeaderCaseOverrides) version.Add(name);
        context.HttpSettings = new HttpSettingsPlan(manager, version.Compose(), tracing is not null, bufferLimit, module.HeaderCaseOverrides);

        void Add(string name, IMessage filter) => manager.HttpFilters.Add(new HcmV3.HttpFilter { Name = name, TypedConfig = RouteMessages.Pack(filter) });
    }

    /// <summary>Envoy refuses a gRPC service whose cluster does not exist; one without endpoints fails each call.</summary>
    private static void AddEmptyCluster(CompilerContext context)
    {
        const string name = RateLimitServicePlanner.NoCluster;
        var cluster = new ClusterV3.Cluster
        {
            Name = name,
            Type = ClusterV3.Cluster.Types.DiscoveryType.Static,
            LoadAssignment = new EndpointV3.ClusterLoadAssignment { ClusterName = name },
        };
        context.EmittedClusters[name] = XdsResource<ClusterV3.Cluster>.Create(name, cluster);
    }

    /// <summary>Groups are memoised by this object, so an equal one stays the same.</summary>
    private static RouteSettings Keep(CompilerContext context, RouteSettings settings)
    {
        var memo = context.Memo<State>();
        if (memo.Settings != settings) memo.Settings = settings;
        return memo.Settings;
    }

    private static uint? BufferLimit(ModulePlan module, FindingSink findings)
    {
        if (module.Config.BufferLimitBytes is not { } bytes || bytes == 0) return null;
        if (bytes is > 0 and <= uint.MaxValue) return (uint)bytes;
        findings.Error(
            module.Resource, FindingCodes.InvalidFieldValue, "spec.config.buffer_limit_bytes",
            "must be between 1 and 4294967295; the default of 1 MiB is used");
        return null;
    }

    private sealed class State
    {
        public RouteSettings Settings { get; set; } = RouteSettings.None;
    }
}
