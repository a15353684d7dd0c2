using System.Net;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Pipeline;
using RbacFilterV3 = Envoy.Extensions.Filters.Http.Rbac.V3;
using RbacV3 = Envoy.Config.Rbac.V3;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the RBAC filter.</summary>
public sealed class RbacBinder : HttpFilterBinder
{
    /// <inheritdoc/>
    public override string ConfigType => RbacFilterV3.RBAC.Descriptor.FullName;

    /// <inheritdoc/>
    public override string RouteConfigType => RbacFilterV3.RBACPerRoute.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors) =>
        Unpack<RbacFilterV3.RBAC>(config, path, errors) is { } message
            ? new RbacFilter { Name = name, Index = index, Rules = Rules(message, path, errors) } : null;

    /// <inheritdoc/>
    public override object? BindRoute(Any config, string path, BindErrors errors) =>
        Unpack<RbacFilterV3.RBACPerRoute>(config, path, errors) is { } message
            ? new RbacRouteConfig(message.Rbac is null ? null : Rules(message.Rbac, BindErrors.Path(path, "rbac"), errors)) : null;

    private static RbacRules? Rules(RbacFilterV3.RBAC message, string path, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "rules", "rules_stat_prefix", "shadow_rules", "shadow_rules_stat_prefix", "track_per_rule_stats");

        // Rules that only log let everything pass.
        if (message.Rules is not { } rules || rules.Action == RbacV3.RBAC.Types.Action.Log)
        {
            return null;
        }

        var policies = new List<(RbacCondition Permission, RbacCondition Principal, LocalReply Refusal)>();
        foreach (var (name, policy) in rules.Policies.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var at = $"{BindErrors.Path(path, "rules.policies")}[\"{name}\"]";
            SupportedFields.Check(policy, at, errors, "permissions", "principals");
            policies.Add((
                new RbacCondition.Several(
                    all: false, [.. policy.Permissions.Select((permission, i) => Permission(permission, BindErrors.Path(at, "permissions", i), errors))]),
                new RbacCondition.Several(
                    all: false, [.. policy.Principals.Select((principal, i) => Principal(principal, BindErrors.Path(at, "principals", i), errors))]),
                new LocalReply(403, $"rbac_access_denied_matched_policy[{name.Replace(' ', '_')}]", ResponseFlags.None, "RBAC: access denied")));
        }

        return new RbacRules(rules.Action == RbacV3.RBAC.Types.Action.Deny, policies);
    }

    private static RbacCondition Permission(RbacV3.Permission message, string path, BindErrors errors)
    {
        switch (message.RuleCase)
        {
            case RbacV3.Permission.RuleOneofCase.AndRules:
                return new RbacCondition.Several(
                    all: true, [.. message.AndRules.Rules.Select((rule, i) => Permission(rule, BindErrors.Path(path, "and_rules.rules", i), errors))]);
            case RbacV3.Permission.RuleOneofCase.OrRules:
                return new RbacCondition.Several(
                    all: false, [.. message.OrRules.Rules.Select((rule, i) => Permission(rule, BindErrors.Path(path, "or_rules.rules", i), errors))]);
            case RbacV3.Permission.RuleOneofCase.Any:
                return new RbacCondition.Constant(message.Any);
            case RbacV3.Permission.RuleOneofCase.NotRule:
                return new RbacCondition.Not(Permission(message.NotRule, BindErrors.Path(path, "not_rule"), errors));
            case RbacV3.Permission.RuleOneofCase.Header when ValueBinder.Header(message.Header, BindErrors.Path(path, "header"), errors) is { } header:
                return new RbacCondition.Header(header);
            case RbacV3.Permission.RuleOneofCase.UrlPath
                when ValueBinder.String(message.UrlPath.Path, BindErrors.Path(path, "url_path.path"), errors) is { } matcher:
                return new RbacCondition.Path(matcher);
            case RbacV3.Permission.RuleOneofCase.RequestedServerName
                when ValueBinder.String(message.RequestedServerName, BindErrors.Path(path, "requested_server_name"), errors) is { } name:
                return new RbacCondition.ServerName(name);
            case RbacV3.Permission.RuleOneofCase.DestinationIp:
                return Address(RbacAddress.Local, message.DestinationIp, BindErrors.Path(path, "destination_ip"), errors);
            case RbacV3.Permission.RuleOneofCase.DestinationPort:
                return new RbacCondition.Port((int)message.DestinationPort, (int)message.DestinationPort + 1);
            case RbacV3.Permission.RuleOneofCase.DestinationPortRange:
                return new RbacCondition.Port(message.DestinationPortRange.Start, message.DestinationPortRange.End);
            default:
                return Unknown(path, errors);
        }
    }

    private static RbacCondition Principal(RbacV3.Principal message, string path, BindErrors errors)
    {
        switch (message.IdentifierCase)
        {
            case RbacV3.Principal.IdentifierOneofCase.AndIds:
                return new RbacCondition.Several(
                    all: true, [.. message.AndIds.Ids.Select((id, i) => Principal(id, BindErrors.Path(path, "and_ids.ids", i), errors))]);
            case RbacV3.Principal.IdentifierOneofCase.OrIds:
                return new RbacCondition.Several(
                    all: false, [.. message.OrIds.Ids.Select((id, i) => Principal(id, BindErrors.Path(path, "or_ids.ids", i), errors))]);
            case RbacV3.Principal.IdentifierOneofCase.Any:
                return new RbacCondition.Constant(message.Any);
            case RbacV3.Principal.IdentifierOneofCase.NotId:
                return new RbacCondition.Not(Principal(message.NotId, BindErrors.Path(path, "not_id"), errors));
            case RbacV3.Principal.IdentifierOneofCase.SourceIp or RbacV3.Principal.IdentifierOneofCase.DirectRemoteIp:
                return Address(RbacAddress.Peer, message.SourceIp ?? message.DirectRemoteIp, path, errors);
            case RbacV3.Principal.IdentifierOneofCase.RemoteIp:
                return Address(RbacAddress.Client, message.RemoteIp, BindErrors.Path(path, "remote_ip"), errors);
            case RbacV3.Principal.IdentifierOneofCase.Header when ValueBinder.Header(message.Header, BindErrors.Path(path, "header"), errors) is { } header:
                return new RbacCondition.Header(header);
            case RbacV3.Principal.IdentifierOneofCase.UrlPath
                when ValueBinder.String(message.UrlPath.Path, BindErrors.Path(path, "url_path.path"), errors) is { } matcher:
                return new RbacCondition.Path(matcher);
            default:
                return Unknown(path, errors);
        }
    }

    private static RbacCondition Address(RbacAddress which, CoreV3.CidrRange range, string path, BindErrors errors)
    {
        if (!IPAddress.TryParse(range.AddressPrefix, out var address))
        {
            errors.Add(BindErrors.Path(path, "address_prefix"), "This is not an address.");
            return new RbacCondition.Constant(false);
        }

        return new RbacCondition.Address(which, CidrBinder.Network(address, range.PrefixLen));
    }

    private static RbacCondition.Constant Unknown(string path, BindErrors errors)
    {
        errors.Add(path, "This condition is not supported by the embedded proxy.");
        return new RbacCondition.Constant(false);
    }
}
