using Nuncio.Compiler.Dialects.Mappings;
using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Planning;

/// <summary>Reads the Module <c>ambassador</c>.</summary>
internal sealed class ModulePass : ICompilerPass
{
    private const string ModuleName = "ambassador";

    public void Run(CompilerContext context)
    {
        var memo = context.Memo<State>();
        ModuleResource? module = null;
        foreach (var candidate in context.Snapshot.Modules)
        {
            if (candidate.Name != ModuleName || candidate.Ambassador is null)
                continue;
            if (module is null)
                module = candidate;
            else
                context.Findings.Error(
                    candidate, FindingCodes.DuplicateModule, "", $"the Module '{module.Key}' is used; of two with this name the second is ignored");
        }

        if (!memo.HasPlan || !ReferenceEquals(memo.Resource, module))
        {
            var findings = new FindingSink();
            memo.Plan = module is { Ambassador: { } config } ? Read(module, config, findings) : ModulePlan.Empty;
            memo.Findings = findings.ToImmutable();
            memo.Resource = module;
            memo.HasPlan = true;
        }

        context.Module = memo.Plan;
        context.Findings.AddRange(memo.Findings);
        if (context.Options.StatsdEnabled)
        {
            context.Findings.Error(
                default(ResourceKey?), FindingCodes.NotYetSupported, "",
                "STATSD_ENABLED: statistics are not sent to a statsd server yet; they are on the page /metrics of the admin address");
        }
    }

    private static ModulePlan Read(ModuleResource module, AmbassadorModuleConfig config, FindingSink findings)
    {
        const string prefix = "spec.config.";
        var loadBalancer = config.LoadBalancer;
        if (loadBalancer is not null && LoadBalancerRules.Problem(loadBalancer) is { } lbProblem)
        {
            findings.Error(module, FindingCodes.InvalidFieldValue, prefix + "load_balancer", $"{lbProblem}; it is ignored");
            loadBalancer = null;
        }

        var breakers = config.CircuitBreakers;
        if (breakers is not null && CircuitBreakerRules.Problem(breakers) is { } breakerProblem)
        {
            findings.Error(module, FindingCodes.InvalidFieldValue, prefix + "circuit_breakers", $"{breakerProblem}; they are ignored");
            breakers = null;
        }

        ReportUnused(module, config, findings);
        return new ModulePlan
        {
            Resource = module,
            Config = config with
            {
                DefaultLabels = DefaultLabels(module, config, findings),
                ClusterIdleTimeoutMs = Milliseconds(module, "cluster_idle_timeout_ms", config.ClusterIdleTimeoutMs, 1, findings),
                ClusterMaxConnectionLifetimeMs = Milliseconds(module, "cluster_max_connection_lifetime_ms", config.ClusterMaxConnectionLifetimeMs, 1, findings),
            },
            RegexMaxSize = RegexMaxSize(module, config, findings),
            RequestTimeoutMs = Milliseconds(module, "cluster_request_timeout_ms", config.ClusterRequestTimeoutMs, 0, findings)
                ?? ModulePlan.DefaultRequestTimeoutMs,
            Resolver = string.IsNullOrEmpty(config.Resolver) ? ModulePlan.Empty.Resolver : config.Resolver,
            LoadBalancer = loadBalancer,
            CircuitBreakers = breakers,
            Keepalive = config.Keepalive is { } keepalive ? ClusterRules.Keepalive(module, prefix + "keepalive", keepalive, findings) : null,
            Cors = config.Cors is { } cors ? CorsReader.Read(module, prefix + "cors", cors, findings) : null,
            RetryPolicy = config.RetryPolicy is { } retry ? RetryPolicyReader.Read(module, prefix + "retry_policy", retry, findings) : null,
            DefaultLabelDomain = string.IsNullOrEmpty(config.DefaultLabelDomain) ? ModulePlan.Empty.DefaultLabelDomain : config.DefaultLabelDomain,
            ErrorResponses = config.ErrorResponseOverrides is { } overrides
                ? ErrorResponseRules.Read(module, prefix + "error_response_overrides", overrides, findings) : null,
            HeaderCaseOverrides = HeaderCase(module, config, findings),
        };
    }

    private static void ReportUnused(ModuleResource module, AmbassadorModuleConfig config, FindingSink findings)
    {
        if (config.AdminPort is not null)
            findings.Notice(
                module, FindingCodes.FieldWithoutEffect, "spec.config.admin_port", "has no effect: the address of the admin pages is an option of the command");
        foreach (var (name, probe) in new[] { ("diagnostics", config.Diagnostics), ("liveness_probe", config.LivenessProbe),
            ("readiness_probe", config.ReadinessProbe) })
        {
            if (probe?.AllowNonLocal is not null)
                findings.Notice(
                    module, FindingCodes.FieldWithoutEffect, $"spec.config.{name}.allow_non_local", "has no effect: there is no diagnostics page to allow");
        }
    }

    private static ValueMap<ValueList<LabelSpecifier>>? DefaultLabels(ModuleResource module, AmbassadorModuleConfig config, FindingSink findings) =>
        config.DefaultLabels is not { } labels
            ? null
            : ValueMap.Create(labels.Entries.Select(domain => KeyValuePair.Create(
                domain.Key, LabelReader.Complete(module, $"spec.config.default_labels.{domain.Key}.defaults", domain.Value, findings))));

    private static int RegexMaxSize(ModuleResource module, AmbassadorModuleConfig config, FindingSink findings)
    {
        if (config.RegexMaxSize is null)
            return ModulePlan.DefaultRegexMaxSize;
        if (config.RegexMaxSize is > 0 and <= int.MaxValue)
            return (int)config.RegexMaxSize.Value;
        findings.Error(module, FindingCodes.InvalidFieldValue, "spec.config.regex_max_size", $"it must be above 0; {ModulePlan.DefaultRegexMaxSize} is used");
        return ModulePlan.DefaultRegexMaxSize;
    }

    private static ValueList<string> HeaderCase(ModuleResource module, AmbassadorModuleConfig config, FindingSink findings)
    {
        if (config.HeaderCaseOverrides is not { } names || config.ProperCase == true)
            return ValueList<string>.Empty;
        foreach (var name in names)
            if (!HeaderRules.IsToken(name))
                findings.Error(module, FindingCodes.InvalidHeader, "spec.config.header_case_overrides", $"'{name}' is not a header's name; it is ignored");
        return names.Where(HeaderRules.IsToken).ToValueList();
    }

    private static long? Milliseconds(ModuleResource module, string field, long? value, long least, FindingSink findings)
    {
        if (value is null || (value >= least && value <= ClusterRules.LongestMs))
            return value;
        findings.Error(
            module, FindingCodes.InvalidFieldValue, "spec.config." + field, $"{value} is not a number of milliseconds of at least {least}; it is ignored");
        return null;
    }

    private sealed class State
    {
        public bool HasPlan { get; set; }

        public ModuleResource? Resource { get; set; }

        public ModulePlan Plan { get; set; } = ModulePlan.Empty;

        public ImmutableArray<Finding> Findings { get; set; } = [];
    }
}
