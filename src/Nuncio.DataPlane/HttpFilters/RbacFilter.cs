using System.Net;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Lets requests pass, or refuses them with 403, by where they come from and what they are (envoy.filters.http.rbac).</summary>
public sealed class RbacFilter : HttpFilter
{
    /// <summary>The rules; null lets everything pass.</summary>
    public RbacRules? Rules { get; init; }

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        var rules = exchange.FindFilterConfig(Name) is RbacRouteConfig route ? route.Rules : Rules;
        return rules?.Refusal(exchange) is { } refusal
            ? exchange.RespondAsync(refusal)
            : new ValueTask<FilterOutcome>(FilterOutcome.Continue);
    }
}

/// <summary>The rules of a route.</summary>
/// <param name="Rules">Instead of the filter's; null lets everything pass.</param>
public sealed record RbacRouteConfig(RbacRules? Rules);

/// <summary>Policies and what a match means.</summary>
/// <param name="Deny">A matching policy refuses; else only a matching policy lets pass.</param>
/// <param name="Policies">Each with a permission and a principal that must both hold, and what is said of a request that it refuses.</param>
public sealed record RbacRules(bool Deny, IReadOnlyList<(RbacCondition Permission, RbacCondition Principal, LocalReply Refusal)> Policies)
{
    /// <summary>Why the request may not pass; null where it may.</summary>
    public LocalReply? Refusal(HttpExchange exchange)
    {
        for (var i = 0; i < Policies.Count; i++)
        {
            if (Policies[i].Permission.Holds(exchange) && Policies[i].Principal.Holds(exchange))
            {
                return Deny ? Policies[i].Refusal : null;
            }
        }

        return Deny ? null : LocalReplies.RbacDenied;
    }
}

/// <summary>One condition of a policy.</summary>
public abstract class RbacCondition
{
    /// <summary>Whether it holds.</summary>
    public abstract bool Holds(HttpExchange exchange);

    /// <summary>Always, or never.</summary>
    public sealed class Constant(bool value) : RbacCondition
    {
        /// <inheritdoc/>
        public override bool Holds(HttpExchange exchange) => value;
    }

    /// <summary>All of them, or one of them.</summary>
    public sealed class Several(bool all, RbacCondition[] conditions) : RbacCondition
    {
        /// <inheritdoc/>
        public override bool Holds(HttpExchange exchange)
        {
            foreach (var condition in conditions)
            {
                if (condition.Holds(exchange) != all)
                {
                    return !all;
                }
            }

            return all;
        }
    }

    /// <summary>The opposite.</summary>
    public sealed class Not(RbacCondition condition) : RbacCondition
    {
        /// <inheritdoc/>
        public override bool Holds(HttpExchange exchange) => !condition.Holds(exchange);
    }

    /// <summary>A header.</summary>
    public sealed class Header(HeaderMatcher matcher) : RbacCondition
    {
        /// <inheritdoc/>
        public override bool Holds(HttpExchange exchange) => matcher.IsMatch(exchange.RequestHeaders);
    }

    /// <summary>The path without its query.</summary>
    public sealed class Path(StringMatcher matcher) : RbacCondition
    {
        /// <inheritdoc/>
        public override bool Holds(HttpExchange exchange)
        {
            var path = exchange.RequestHeaders.Get(KnownHeader.Path);
            var end = path.IndexOfAny((byte)'?', (byte)'#');
            return matcher.IsMatch(end < 0 ? path : path[..end]);
        }
    }

    /// <summary>The name in the ClientHello.</summary>
    public sealed class ServerName(StringMatcher matcher) : RbacCondition
    {
        /// <inheritdoc/>
        public override bool Holds(HttpExchange exchange) => matcher.IsMatch(System.Text.Encoding.UTF8.GetBytes(exchange.Downstream.Connection.ServerName));
    }

    /// <summary>The port it arrived at; the last one is not included.</summary>
    public sealed class Port(int first, int end) : RbacCondition
    {
        /// <inheritdoc/>
        public override bool Holds(HttpExchange exchange) => exchange.Downstream.Connection.LocalAddress.Port is var port && port >= first && port < end;
    }

    /// <summary>An address.</summary>
    public sealed class Address(RbacAddress which, IPNetwork network) : RbacCondition
    {
        /// <inheritdoc/>
        public override bool Holds(HttpExchange exchange)
        {
            var connection = exchange.Downstream.Connection;
            var address = which switch
            {
                RbacAddress.Client => exchange.RemoteAddress.Address,
                RbacAddress.Peer => connection.DirectRemoteAddress.Address,
                _ => connection.LocalAddress.Address,
            };
            return network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
        }
    }
}

/// <summary>Which address of a request.</summary>
public enum RbacAddress : byte
{
    /// <summary>The client, as the forwarded headers say where they are believed.</summary>
    Client,

    /// <summary>The TCP peer.</summary>
    Peer,

    /// <summary>Where it arrived.</summary>
    Local,
}
