using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Envoy.Config.Rbac.V3;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Modules;
using RbacFilter = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>The Module's <c>ip_allow</c> and <c>ip_deny</c> (SPEC 9.6).</summary>
/// <remarks>Emissary leaves the filter out when no entry is valid, and so lets everybody in. Here nobody is let in then.</remarks>
internal static class AddressRules
{
    /// <summary>The filter; null when neither is set.</summary>
    public static RbacFilter? Plan(ModuleResource? module, AmbassadorModuleConfig config, FindingSink findings)
    {
        var allowBroken = config.InvalidKeys.Contains("ip_allow");
        var denyBroken = config.InvalidKeys.Contains("ip_deny");
        if (config.IpAllow is not null && (config.IpDeny is not null || denyBroken))
        {
            findings.Error(module, FindingCodes.AddressRulesConflict, "spec.config.ip_deny", "ip_allow and ip_deny may not both be set; ip_allow is used");
        }
        if (config.IpAllow is { Count: > 0 } allow)
            return Filter(RBAC.Types.Action.Allow, "ambassador-ip-allow", Principals(module, "ip_allow", allow, findings));
        if (allowBroken) return NobodyGetsIn();
        if (config.IpDeny is { Count: > 0 } deny)
        {
            var principals = Principals(module, "ip_deny", deny, findings);
            return principals.Count == 0 ? NobodyGetsIn() : Filter(RBAC.Types.Action.Deny, "ambassador-ip-deny", principals);
        }
        return denyBroken ? NobodyGetsIn() : null;
    }

    private static RbacFilter NobodyGetsIn() => Filter(RBAC.Types.Action.Allow, "ambassador-ip-allow", []);

    private static RbacFilter Filter(RBAC.Types.Action action, string policy, List<Principal> principals)
    {
        var rules = new RBAC { Action = action };
        if (principals.Count > 0)
        {
            var who = principals[0];
            if (principals.Count > 1) who = new Principal { OrIds = new Principal.Types.Set { Ids = { principals } } };
            rules.Policies.Add(policy, new Policy { Permissions = { new Permission { Any = true } }, Principals = { who } });
        }
        return new RbacFilter { Rules = rules };
    }

    private static List<Principal> Principals(ModuleResource? module, string key, ValueList<IpRule> rules, FindingSink findings)
    {
        var principals = new List<Principal>(rules.Count);
        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i];
            if (rule.Kind == IpRuleKind.Invalid) continue;
            if (Range(rule.Address) is not { } range)
            {
                findings.Error(
                    module,
                    FindingCodes.AddressRuleInvalid,
                    string.Create(CultureInfo.InvariantCulture, $"spec.config.{key}[{i}]"),
                    $"'{rule.Address}' is no IP address or CIDR block; the entry matches nothing");
                continue;
            }
            principals.Add(rule.Kind == IpRuleKind.Peer ? new Principal { DirectRemoteIp = range } : new Principal { RemoteIp = range });
        }
        return principals;
    }

    private static CoreV3.CidrRange? Range(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address) || address.ScopeIdIsSet()) return null;
        var bits = address.AddressFamily == AddressFamily.InterNetworkV6 ? 128u : 32u;
        var length = bits;
        if (slash >= 0 && (!uint.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > bits)) return null;
        return new CoreV3.CidrRange { AddressPrefix = address.ToString(), PrefixLen = length };
    }

    private static bool ScopeIdIsSet(this IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0;
}
