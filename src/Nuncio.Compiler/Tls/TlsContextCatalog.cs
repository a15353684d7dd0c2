using Nuncio.Resources.Collections;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Modules;

namespace Nuncio.Compiler.Tls;

/// <summary>All named TLS contexts of a snapshot: TLSContexts and the blocks of the Module <c>tls</c> (SPEC 2.5, 4.5, 4.6).</summary>
internal sealed class TlsContextCatalog
{
    /// <summary>The Secrets that the Module <c>tls</c> means when it names none.</summary>
    private const string LegacySecret = "ambassador-certs";
    private const string LegacyCaSecret = "ambassador-cacert";

    private readonly List<TlsContextDraft> _drafts = [];
    private readonly Dictionary<string, TlsContextDraft> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TlsContextPlan?> _plans = new(StringComparer.Ordinal);
    private readonly TlsContextPlanner _planner;
    private readonly FindingSink _findings;

    /// <summary>No context at all.</summary>
    public static TlsContextCatalog Empty { get; } = new([], null, new TlsContextPlanner(new SecretCatalog([]), true, new FindingSink()), new FindingSink());

    public TlsContextCatalog(ImmutableArray<TlsContextResource> contexts, ModuleResource? tlsModule, TlsContextPlanner planner, FindingSink findings)
    {
        _planner = planner;
        _findings = findings;
        if (tlsModule?.Tls is { } module) AddLegacy(tlsModule, module);
        foreach (var context in StoredNames.InOrder(contexts))
        {
            Add(new TlsContextDraft
            {
                Name = StoredNames.Free(context, _byName.ContainsKey),
                Origin = context,
                FieldPath = "spec",
                Hosts = context.Spec.Hosts ?? ValueList<string>.Empty,
                Secret = context.Spec.Secret,
                SecretNamespacing = context.Spec.SecretNamespacing,
                Config = context.Spec.Config,
            });
        }
    }

    /// <summary>Whether any context says for which hosts it is: it then was meant to terminate TLS.</summary>
    public bool HasTermination => _drafts.Exists(draft => draft.Hosts.Count > 0);

    /// <summary>All contexts in order.</summary>
    public IReadOnlyList<TlsContextDraft> Drafts => _drafts;

    /// <summary>The context as it was written; null when there is none of this name.</summary>
    public TlsContextDraft? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The context by its name, ready to use; null when there is none, or it cannot be used (which is a finding on it).</summary>
    public TlsContextPlan? Plan(string name)
    {
        if (_plans.TryGetValue(name, out var plan)) return plan;
        plan = _byName.TryGetValue(name, out var draft) ? _planner.Plan(draft) : null;
        _plans[name] = plan;
        return plan;
    }

    /// <summary>Plans every context, so that a broken one is found even when nothing uses it.</summary>
    public void PlanAll()
    {
        foreach (var draft in _drafts)
        {
            Plan(draft.Name);
        }
    }

    private void Add(TlsContextDraft draft)
    {
        _drafts.Add(draft);
        _byName[draft.Name] = draft;
    }

    private void AddLegacy(ModuleResource resource, TlsModuleConfig module)
    {
        var client = module.Blocks.GetValueOrDefault("client") is { Enabled: not false } enabled ? enabled : null;
        foreach (var (name, block) in module.Blocks)
        {
            if (name == "client" || block.Enabled == false) continue;
            var terminates = name == "server";
            var validation = terminates ? client : null;
            if (_byName.ContainsKey(name)) continue;
            Unused(resource, name, "ca_secret", block.CaSecret);
            Unused(resource, name, "cacert_chain_file", block.CaCertChainFile);
            Unused(resource, name, "cert_required", block.CertRequired);
            Add(new TlsContextDraft
            {
                Name = name,
                Origin = resource,
                FieldPath = $"spec.config.{name}",
                Hosts = terminates ? ["*"] : ValueList<string>.Empty,
                Secret = block.Secret ?? (block.CertChainFile is null && block.PrivateKeyFile is null ? LegacySecret : null),
                Config = new TlsConfig
                {
                    CertChainFile = block.CertChainFile,
                    PrivateKeyFile = block.PrivateKeyFile,
                    AlpnProtocols = block.AlpnProtocols,
                    RedirectCleartextFrom = block.RedirectCleartextFrom,
                    CaSecret = validation is null || validation.CaCertChainFile is not null ? null : validation.Secret ?? LegacyCaSecret,
                    CaCertChainFile = validation?.CaCertChainFile,
                    CertRequired = validation?.CertRequired,
                },
            });
        }
        if (client is not null) Unused(resource, "client", "ca_secret", client.CaSecret);
        _findings.Warning(resource, FindingCodes.LegacyForm, "", "the Module tls is a legacy form", "a TLSContext for each block");
    }

    /// <summary>Who may issue client certificates is said by the block <c>client</c>, and there by its <c>secret</c>.</summary>
    private void Unused(ModuleResource resource, string block, string field, object? value)
    {
        if (value is null) return;
        _findings.Error(resource, FindingCodes.FieldWithoutEffect, $"spec.config.{block}.{field}", "has no effect in this block", "a TLSContext");
    }
}
