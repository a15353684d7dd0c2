using Nuncio.Compiler.Tls;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Hosts;

/// <summary>Hosts to plans (SPEC 4.3, 6.1). A broken Host stays in, as broken: nothing else must be served under its name.</summary>
internal sealed class HostPlanner(
    SecretCatalog secrets, TlsContextCatalog contexts, TlsContextPlanner tlsPlanner, CompilerOptions options, FindingSink findings)
{
    /// <summary>The Secret with which a gateway without any Host terminates TLS.</summary>
    private const string FallbackSecret = "fallback-self-signed-cert";

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>
    /// Plans in the order of hostname, then name. Several may have the same hostname: a Listener serves the first of those that belong to it.
    /// </summary>
    /// <param name="hosts">Those of the snapshot and those that other dialects were turned into.</param>
    /// <param name="anyInvalid">Whether there are Hosts that broke their schema: then no Host stands in for them.</param>
    public ImmutableArray<HostPlan> Plan(IEnumerable<HostResource> hosts, bool anyInvalid)
    {
        var plans = new List<HostPlan>();
        var any = anyInvalid;
        foreach (var host in StoredNames.InOrder(hosts))
        {
            any = true;
            if (Plan(host) is { } plan) plans.Add(plan);
        }
        if (!any) plans.Add(PlanDefault());

        return [.. plans.OrderBy(plan => plan.Hostname, StringComparer.Ordinal)];
    }

    private HostPlan? Plan(HostResource host)
    {
        var spec = host.Spec;
        var hostname = string.IsNullOrEmpty(spec.Hostname) ? "*" : spec.Hostname.ToLowerInvariant();
        if (!IsServable(hostname))
        {
            findings.Error(host, FindingCodes.HostnameInvalid, "spec.hostname", $"'{spec.Hostname}' is not a host name or glob; the Host is not served");
            return null;
        }
        if (hostname != "*" && hostname.AsSpan(1, Math.Max(0, hostname.Length - 2)).Contains('*'))
        {
            findings.Warning(host, FindingCodes.HostnameInvalid, "spec.hostname", "a wildcard in the middle matches only itself");
        }
        if (spec.MappingSelector is { HasMatchExpressions: true })
        {
            findings.Warning(
                host,
                FindingCodes.SelectorExpressionsIgnored,
                "spec.mappingSelector.matchExpressions",
                "only matchLabels selects; matchExpressions has no effect");
        }
        if (spec.PreviewUrl is not null) findings.Warning(host, FindingCodes.FieldWithoutEffect, "spec.previewUrl", "preview URLs are no longer supported");
        if (spec.InsecureAdditionalPort is > 0)
        {
            findings.Notice(
                host,
                FindingCodes.FieldWithoutEffect,
                "spec.requestPolicy.insecure.additionalPort",
                "has no effect since Listeners exist",
                "a Listener on that port");
        }
        CheckAcme(host);

        var name = StoredNames.Free(host, _names.Contains);
        _names.Add(name);
        var tls = PlanTls(host, name, hostname, out var broken);
        return new HostPlan
        {
            Resource = host,
            Name = name,
            Namespace = host.Namespace,
            Hostname = hostname,
            ServerName = WithoutPort(hostname),
            Labels = host.Labels,
            Selector = spec.MappingSelector is { } selector ? selector.MatchLabels ?? ValueMap<string>.Empty : null,
            InsecureAction = spec.InsecureAction ?? InsecureAction.Redirect,
            Tls = tls,
            IsBroken = broken,
        };
    }

    private HostPlan PlanDefault()
    {
        if (contexts.HasTermination)
        {
            var origin = contexts.Drafts.First(draft => draft.Hosts.Count > 0).Origin;
            findings.Error(origin, FindingCodes.TlsContextWithoutHost, "", "there are TLSContexts with hosts but no Host; they do not terminate TLS");
        }
        TlsContextPlan? tls = null;
        var broken = false;
        if (secrets.Find(options.Namespace, FallbackSecret, out _) is { } fallback)
        {
            if (TlsContextPlanner.KeyPairProblem(fallback) is { } problem)
            {
                broken = true;
                findings.Error(fallback.Resource, FindingCodes.SecretInvalid, "", $"the default Host's certificate cannot be used: {problem}");
            }
            else
            {
                tls = new TlsContextPlan
                {
                    Name = "default-host-context",
                    Namespace = options.Namespace,
                    Origin = fallback.Resource,
                    Hosts = ["*"],
                    Certificate = fallback,
                };
            }
        }
        else
        {
            findings.Notice(null, FindingCodes.DefaultHostAssumed, "", "there is no Host: every name is served in the clear");
        }
        return new HostPlan
        {
            Resource = null,
            Name = "default-host",
            Namespace = options.Namespace,
            Hostname = "*",
            ServerName = "*",
            InsecureAction = tls is null && !broken ? InsecureAction.Route : InsecureAction.Redirect,
            Tls = tls,
            IsBroken = broken,
        };
    }

    private TlsContextPlan? PlanTls(HostResource host, string name, string hostname, out bool broken)
    {
        broken = false;
        var spec = host.Spec;
        if (spec.TlsSecret is not { Name: { Length: > 0 } secretName } reference)
        {
            if (spec.Tls is not null || spec.TlsContextName is not null)
            {
                findings.Error(
                    host,
                    FindingCodes.TlsWithoutSecret,
                    spec.Tls is not null ? "spec.tls" : "spec.tlsContext",
                    "TLS settings without tlsSecret have no effect: the Host has no TLS",
                    "spec.tlsSecret.name");
            }
            return null;
        }
        broken = true;
        if (spec.Tls is not null && spec.TlsContextName is not null)
        {
            findings.Error(host, FindingCodes.TlsSettingsConflict, "spec.tls", "only one of tls and tlsContext may be set");
            return null;
        }
        if (secrets.Find(reference.Namespace is { Length: > 0 } other ? other : host.Namespace, secretName, out var problem) is not { } secret)
        {
            findings.Error(host, FindingCodes.SecretNotFound, "spec.tlsSecret", $"{problem}; the Host answers TLS errors or 503");
            return null;
        }
        if (TlsContextPlanner.KeyPairProblem(secret) is { } wrong)
        {
            findings.Error(
                host, FindingCodes.SecretInvalid, "spec.tlsSecret", $"Secret {secret.Name} cannot be used: {wrong}; the Host answers TLS errors or 503");
            return null;
        }

        var implicitName = name + "-context";
        TlsContextPlan? plan;
        if (spec.TlsContextName is { } contextName) plan = PlanNamed(host, contextName, secret, hostname, "spec.tlsContext");
        else if (spec.Tls is null && contexts.Find(implicitName) is not null) plan = PlanNamed(host, implicitName, secret, hostname, "spec.tlsSecret");
        else
        {
            plan = tlsPlanner.Plan(
                new TlsContextDraft
                {
                    Name = implicitName,
                    Origin = host,
                    FieldPath = "spec.tls",
                    Hosts = [hostname],
                    SecretNamespacing = reference.Namespace is { Length: > 0 } ? true : null,
                    Config = spec.Tls ?? TlsConfig.Empty,
                },
                secret);
        }
        if (plan is not null && IsPartialWildcard(WithoutPort(hostname)))
        {
            findings.Error(
                host,
                FindingCodes.HostnameNotForTls,
                "spec.hostname",
                $"TLS is chosen by whole labels: '{hostname}' cannot be told apart there; the Host answers 503");
            return null;
        }
        broken = plan is null;
        return plan;
    }

    private TlsContextPlan? PlanNamed(HostResource host, string contextName, SecretMaterial secret, string hostname, string field)
    {
        if (contexts.Find(contextName) is not { } draft)
        {
            findings.Error(host, FindingCodes.TlsContextNotFound, field, $"there is no TLSContext '{contextName}'; the Host answers TLS errors or 503");
            return null;
        }
        if (draft.Hosts.Count > 0 && !Contains(draft.Hosts, hostname) && !Contains(draft.Hosts, host.Name))
        {
            findings.Warning(host, FindingCodes.TlsContextHostMismatch, field, $"TLSContext '{contextName}' lists other hosts than '{hostname}'");
        }
        if (draft.Secret is { Length: > 0 } own)
        {
            var found = tlsPlanner.Find(draft, own, out _);
            if (!ReferenceEquals(found, secret))
            {
                findings.Error(
                    host,
                    FindingCodes.TlsSettingsConflict,
                    field,
                    $"TLSContext '{contextName}' names another Secret ('{own}') than the Host ({secret.Name}); the Host answers TLS errors or 503");
                return null;
            }
        }

        var plan = draft.Secret is { Length: > 0 } ? contexts.Plan(contextName) : tlsPlanner.Plan(draft, secret);
        if (plan is null)
        {
            findings.Error(host, FindingCodes.TlsContextNotUsable, field, $"TLSContext '{contextName}' cannot be used; the Host answers TLS errors or 503");
        }
        return plan;
    }

    private void CheckAcme(HostResource host)
    {
        if (host.Spec.AcmeProvider is not { } acme) return;
        if (!string.Equals(acme.Authority, "none", StringComparison.OrdinalIgnoreCase))
        {
            findings.Notice(
                host,
                FindingCodes.FieldWithoutEffect,
                "spec.acmeProvider",
                "no certificate is requested by ACME: the Secret has to come from elsewhere, such as cert-manager",
                "authority: none");
        }
        if (acme.PrivateKeySecretName is not { Length: > 0 } key) return;
        if (secrets.Find(host.Namespace, key, out var problem) is null)
        {
            findings.Warning(host, FindingCodes.SecretNotFound, "spec.acmeProvider.privateKeySecret", $"{problem}; the certificate cannot be renewed by ACME");
        }
    }

    private static bool Contains(ValueList<string> hosts, string name)
    {
        foreach (var host in hosts)
        {
            if (string.Equals(host, name, StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }

    /// <summary>Text before the last colon, as Emissary has it; the address of an IPv6 literal keeps its colons.</summary>
    private static string WithoutPort(string hostname)
    {
        var colon = hostname.LastIndexOf(':');
        return colon <= 0 || hostname.EndsWith(']') ? hostname : hostname[..colon];
    }

    /// <summary>Envoy takes <c>*.suffix</c> as a server name, but neither <c>*suffix</c> nor <c>prefix.*</c>.</summary>
    private static bool IsPartialWildcard(string serverName) =>
        serverName != "*" && serverName.Contains('*', StringComparison.Ordinal)
        && !(serverName.StartsWith("*.", StringComparison.Ordinal) && serverName.IndexOf('*', 1) < 0);

    private static bool IsServable(string hostname)
    {
        foreach (var c in hostname)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_' or '*' or ':' or '[' or ']')) return false;
        }
        return true;
    }
}
