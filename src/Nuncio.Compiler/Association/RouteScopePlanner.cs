using System.Security.Cryptography;
using System.Text;
using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.Listeners;
using Nuncio.Resources.Collections;

namespace Nuncio.Compiler.Association;

/// <summary>
/// Associates Listeners with Hosts (SPEC 5.1) and divides the Hosts among filter chains and route configurations (SPEC 5.4). Nothing here depends on Mappings,
/// so that a change of these touches no listener.
/// </summary>
internal sealed class RouteScopePlanner(ImmutableArray<HostPlan> hosts, bool strictSelectors, FindingSink findings)
{
    private readonly HashSet<HostPlan> _conflicts = [];
    private readonly HashSet<HostPlan> _duplicates = [];

    /// <summary>The scope of a listener.</summary>
    public RouteScopePlan Plan(ListenerPlan listener)
    {
        var scope = listener.RouteScope;
        var (taken, secureOnly) = TakenBy(listener);
        var members = new Dictionary<string, List<HostPlan>>(StringComparer.Ordinal);
        var byServerName = new Dictionary<string, HostPlan>(StringComparer.Ordinal);
        var chains = new List<(HostPlan Host, string Table)>();
        foreach (var host in taken.Concat(secureOnly))
        {
            if (host.Tls is null) continue;
            var isNewName = byServerName.TryAdd(host.ServerName, host);
            if (!isNewName && byServerName[host.ServerName].TlsFingerprint != host.TlsFingerprint)
            {
                Conflict(host, byServerName[host.ServerName]);
                continue;
            }
            var table = $"{scope}/{TableOf(host)}";
            if (!members.TryGetValue(table, out var list)) members.Add(table, list = []);
            list.Add(host);
            if (isNewName) chains.Add((host, table));
        }

        var refused = RefusedByTable(taken, chains);
        var tables = members.ToDictionary(
            pair => pair.Key,
            pair => new RouteTablePlan(pair.Key, [.. pair.Value], refused.TryGetValue(pair.Key, out var broken) ? [.. broken] : []),
            StringComparer.Ordinal);
        return new RouteScopePlan
        {
            Name = scope,
            SecurityModel = listener.SecurityModel,
            AnnouncesHttp3 = listener.AnnouncesHttp3,
            Cleartext = new RouteTablePlan(
                scope + "/cleartext",
                [.. taken.Where(host => !host.IsBroken && !IsLeftOut(listener, host))],
                [.. taken.Where(host => host.IsBroken)]),
            LeftOut = [.. taken.Where(host => !host.IsBroken && IsLeftOut(listener, host))],
            Chains = [.. chains.Select(chain => new TlsChainPlan(chain.Host.ServerName, chain.Host.Tls!, tables[chain.Table], chain.Host))],
        };
    }

    /// <summary>
    /// The Hosts of a listener. Of several with the same hostname the first is served, and where it has no TLS the first that has serves TLS connections, so
    /// that a Host in the clear takes nothing from one with a certificate; each other is a finding.
    /// </summary>
    private (ImmutableArray<HostPlan> Taken, ImmutableArray<HostPlan> SecureOnly) TakenBy(ListenerPlan listener)
    {
        var taken = ImmutableArray.CreateBuilder<HostPlan>();
        var secureOnly = ImmutableArray.CreateBuilder<HostPlan>();
        foreach (var host in hosts)
        {
            if (!Takes(listener, host)) continue;
            if (taken.Count == 0 || taken[^1].Hostname != host.Hostname)
            {
                taken.Add(host);
                continue;
            }
            var first = taken[^1];
            var servesTls = host.Tls is not null
                && first is { Tls: null, IsBroken: false }
                && (secureOnly.Count == 0 || secureOnly[^1].Hostname != host.Hostname);
            if (servesTls) secureOnly.Add(host);
            if (!_duplicates.Add(host)) continue;
            findings.Error(
                host.Resource,
                FindingCodes.HostDuplicate,
                "spec.hostname",
                $"Host {first.Namespace}/{first.Name} already serves '{host.Hostname}' on Listener '{listener.Name}'; "
                    + (servesTls ? "this Host serves only TLS connections there" : "this Host is not served there"));
        }
        return (taken.ToImmutable(), secureOnly.ToImmutable());
    }

    private bool Takes(ListenerPlan listener, HostPlan host) =>
        (listener.HostNamespace is not { } only || only == host.Namespace) && LabelMatcher.Matches(listener.HostSelector, host.Labels, strictSelectors);

    private static bool IsLeftOut(ListenerPlan listener, HostPlan host) =>
        listener.SecurityModel == SecurityModel.Insecure && host.InsecureAction == InsecureAction.Reject;

    /// <summary>
    /// Hosts with the same certificate and settings share a table: who may speak to one of them may speak to the others. The Host for every name has its own,
    /// since a connection gets there without naming any.
    /// </summary>
    private static string TableOf(HostPlan host)
    {
        if (host.ServerName == "*") return "tls/*";
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(host.TlsFingerprint)))[..8];
        return $"tls/{host.Tls!.Certificate!.Name}-{hash}";
    }

    /// <summary>The broken Hosts whose name leads a TLS client to a chain of another Host, by the table of that chain.</summary>
    private static Dictionary<string, List<HostPlan>> RefusedByTable(ImmutableArray<HostPlan> taken, List<(HostPlan Host, string Table)> chains)
    {
        var refused = new Dictionary<string, List<HostPlan>>(StringComparer.Ordinal);
        var wildcards = chains.FindAll(chain => chain.Host.ServerName.StartsWith('*'));
        foreach (var broken in taken)
        {
            if (!broken.IsBroken) continue;
            (HostPlan Host, string Table)? best = null;
            foreach (var chain in wildcards)
            {
                if (!HostGlob.Covers(chain.Host.ServerName, broken.ServerName)) continue;
                if (best is null || chain.Host.ServerName.Length > best.Value.Host.ServerName.Length) best = chain;
            }
            if (best is not { } found) continue;
            if (!refused.TryGetValue(found.Table, out var list)) refused.Add(found.Table, list = []);
            list.Add(broken);
        }
        return refused;
    }

    private void Conflict(HostPlan host, HostPlan first)
    {
        if (!_conflicts.Add(host)) return;
        findings.Error(
            host.Resource,
            FindingCodes.TlsSettingsConflict,
            "spec.tlsSecret",
            $"Host {first.Namespace}/{first.Name} already serves TLS for '{host.ServerName}' with other settings; this Host has no TLS",
            "the same TLSContext in both");
    }
}
