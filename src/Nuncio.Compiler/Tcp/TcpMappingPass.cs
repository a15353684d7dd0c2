using System.Globalization;
using System.Net;
using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.Resolving;
using Nuncio.Compiler.Tls;
using Nuncio.Compiler.Validation;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Tcp;

/// <summary>Leaves the groups of TCPMappings. Weights mean what they say: 20 and 80 are a fifth and four fifths.</summary>
internal sealed class TcpMappingPass : ICompilerPass
{
    /// <inheritdoc/>
    public void Run(CompilerContext context)
    {
        var groups = new Dictionary<(string Address, int Port, string? Host), List<TcpMappingResource>>();
        var order = new List<(string Address, int Port, string? Host)>();
        foreach (var mapping in StoredNames.InOrder(context.Snapshot.TcpMappings))
        {
            var spec = mapping.Spec;
            var address = spec.Address is { Length: > 0 } own ? own : context.Options.BindAddress;
            if (!IsUsable(context, mapping, address)) continue;
            var key = (address, spec.Port, spec.Host is { Length: > 0 } host ? host.ToLowerInvariant() : null);
            if (!groups.TryGetValue(key, out var members))
            {
                groups.Add(key, members = []);
                order.Add(key);
            }
            if (members.Count > 0 && Mismatch(members[0].Spec, spec) is { } field)
            {
                context.Findings.Error(
                    mapping,
                    FindingCodes.GroupMismatch,
                    "spec." + field,
                    $"differs from TCPMapping {members[0].Namespace}/{members[0].Name}, with which this one shares its connections; it is left out");
                continue;
            }
            members.Add(mapping);
        }
        foreach (var key in order)
        {
            if (Plan(context, key.Address, key.Port, key.Host, groups[key]) is { } plan) context.TcpGroups.Add(plan);
        }
    }

    private static bool IsUsable(CompilerContext context, TcpMappingResource mapping, string address)
    {
        var spec = mapping.Spec;
        if (spec.Port is < 1 or > 65535)
        {
            context.Findings.Error(mapping, FindingCodes.InvalidFieldValue, "spec.port", "a port is between 1 and 65535");
            return false;
        }
        if (!IPAddress.TryParse(address, out _))
        {
            context.Findings.Error(mapping, FindingCodes.ListenerAddressInvalid, "spec.address", $"'{address}' is not an IP address");
            return false;
        }
        if (spec.Host is { } host && host != "*" && host.AsSpan(host.StartsWith("*.", StringComparison.Ordinal) ? 2 : 0).Contains('*'))
        {
            context.Findings.Error(mapping, FindingCodes.HostnameNotForTls, "spec.host", $"TLS is chosen by whole labels: '{host}' cannot be told apart there");
            return false;
        }
        if (spec.Weight is < 0 or > 100)
        {
            context.Findings.Error(mapping, FindingCodes.InvalidFieldValue, "spec.weight", "must be between 0 and 100");
            return false;
        }
        if (spec.IdleTimeoutMs is < 0 or > ClusterRules.LongestMs)
        {
            context.Findings.Error(mapping, FindingCodes.InvalidFieldValue, "spec.idle_timeout_ms", "must not be negative");
            return false;
        }
        return true;
    }

    /// <summary>The first field in which a member may not differ and does; null when it fits.</summary>
    private static string? Mismatch(TcpMappingSpec first, TcpMappingSpec other)
    {
        if (other.CircuitBreakers is not null && !other.CircuitBreakers.Equals(first.CircuitBreakers)) return "circuit_breakers";
        if (other.EnableIPv4 is not null && other.EnableIPv4 != first.EnableIPv4) return "enable_ipv4";
        if (other.EnableIPv6 is not null && other.EnableIPv6 != first.EnableIPv6) return "enable_ipv6";
        if (other.IdleTimeoutMs is not null && other.IdleTimeoutMs != first.IdleTimeoutMs) return "idle_timeout_ms";
        return other.Tls is not null && other.Tls != first.Tls ? "tls" : null;
    }

    private static TcpGroupPlan? Plan(CompilerContext context, string address, int port, string? host, List<TcpMappingResource> members)
    {
        TlsContextPlan? tls = null;
        if (host is not null)
        {
            tls = Termination(context.Edge, host);
            if (tls is null)
            {
                foreach (var member in members)
                {
                    context.Findings.Error(
                        member,
                        FindingCodes.TlsContextNotFound,
                        "spec.host",
                        $"neither a Host with TLS nor a TLSContext is for '{host}', so its TLS cannot be terminated; the TCPMapping is left out");
                }
                return null;
            }
        }
        var clusters = new List<(string Cluster, long? Weight)>(members.Count);
        foreach (var member in members)
        {
            var spec = member.Spec;
            var cluster = context.Clusters.Request(new UpstreamSpec
            {
                Owner = member,
                Namespace = member.Namespace,
                Service = spec.Service,
                Marker = spec.ClusterTag,
                Resolver = spec.Resolver,
                Tls = spec.Tls,
                EnableIPv4 = spec.EnableIPv4,
                EnableIPv6 = spec.EnableIPv6,
                CircuitBreakers = spec.CircuitBreakers,
                StatsName = spec.StatsName,
            });
            if (cluster is not null) clusters.Add((cluster.Name, spec.Weight));
        }
        var targets = Weigh(clusters);
        if (targets.IsEmpty)
        {
            if (clusters.Count > 0)
            {
                context.Findings.Error(
                    members[0],
                    FindingCodes.TcpWeightsZero,
                    "spec.weight",
                    string.Create(CultureInfo.InvariantCulture, $"every TCPMapping of {address}:{port} has weight 0; connections go nowhere"));
            }
            return null;
        }
        return new TcpGroupPlan
        {
            First = members[0],
            Address = address,
            Port = port,
            Host = host,
            Tls = tls,
            Targets = targets,
            IdleTimeoutMs = members[0].Spec.IdleTimeoutMs,
        };
    }

    /// <summary>Members without a weight share what the others leave of 100.</summary>
    private static ImmutableArray<(string Cluster, uint Weight)> Weigh(List<(string Cluster, long? Weight)> clusters)
    {
        if (clusters.Count == 1) return [(clusters[0].Cluster, 100)];
        var left = Math.Max(0, 100 - clusters.Sum(cluster => cluster.Weight ?? 0));
        var open = clusters.Count(cluster => cluster.Weight is null);
        var targets = ImmutableArray.CreateBuilder<(string, uint)>(clusters.Count);
        foreach (var (cluster, weight) in clusters)
        {
            var share = weight ?? left / open;
            if (weight is null)
            {
                left -= share;
                open--;
            }
            if (share > 0) targets.Add((cluster, (uint)share));
        }
        return targets.ToImmutable();
    }

    /// <summary>Hosts come first, in the order of their hostnames; a TLSContext must list exactly the name.</summary>
    private static TlsContextPlan? Termination(EdgePlan edge, string host)
    {
        foreach (var candidate in edge.Hosts)
        {
            if (candidate.Tls is { } tls && HostGlob.AreCompatible(candidate.Hostname, host)) return tls;
        }
        foreach (var draft in edge.TlsContexts.Drafts)
        {
            foreach (var name in draft.Hosts)
            {
                if (string.Equals(name, host, StringComparison.OrdinalIgnoreCase) && edge.TlsContexts.Plan(draft.Name) is { Certificate: not null } plan)
                    return plan;
            }
        }
        return null;
    }
}
