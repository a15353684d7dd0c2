using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.Tls;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Association;

/// <summary>A route configuration to be: which Hosts it has virtual hosts for.</summary>
/// <param name="Name">Its name, which does not depend on what is in it.</param>
/// <param name="Hosts">The Hosts that are served.</param>
/// <param name="Refused">The Hosts that answer 503 here, since their TLS settings are broken.</param>
internal sealed record RouteTablePlan(string Name, ImmutableArray<HostPlan> Hosts, ImmutableArray<HostPlan> Refused);

/// <summary>A server name, the TLS settings for it and the routes behind it.</summary>
/// <param name="ServerName">A name or <c>*.suffix</c>; <c>*</c> for any.</param>
/// <param name="Tls">The settings.</param>
/// <param name="Table">The routes.</param>
/// <param name="Host">The first Host that asked for it.</param>
internal sealed record TlsChainPlan(string ServerName, TlsContextPlan Tls, RouteTablePlan Table, HostPlan Host);

/// <summary>All that listeners with the same <see cref="Listeners.ListenerPlan.RouteScope"/> have in common.</summary>
internal sealed record RouteScopePlan
{
    public required string Name { get; init; }

    public required SecurityModel SecurityModel { get; init; }

    /// <summary>Whether responses announce HTTP/3.</summary>
    public required bool AnnouncesHttp3 { get; init; }

    /// <summary>The routes of connections without TLS.</summary>
    public required RouteTablePlan Cleartext { get; init; }

    /// <summary>The Hosts that have no virtual host there, since they reject insecure requests and here all are (SPEC 5.3).</summary>
    public required ImmutableArray<HostPlan> LeftOut { get; init; }

    /// <summary>One for each server name.</summary>
    public required ImmutableArray<TlsChainPlan> Chains { get; init; }

    /// <summary>Every route table, each once.</summary>
    public IEnumerable<RouteTablePlan> Tables => Chains.Select(chain => chain.Table).Distinct().Prepend(Cleartext);
}
