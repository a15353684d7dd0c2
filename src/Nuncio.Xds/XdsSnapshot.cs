using System.Collections.Frozen;
using System.Collections.Immutable;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Xds;

/// <summary>
/// Everything a data plane needs, at one moment: the contract between the compiler and every data plane.
/// Listeners name their routes (RDS), clusters their endpoints (EDS) and TLS contexts their keys (SDS), so that a change of a route, an
/// endpoint or a certificate touches no listener. Immutable; unchanged resources are the same objects as in the snapshot before.
/// </summary>
public sealed class XdsSnapshot
{
    /// <summary>A snapshot with nothing in it.</summary>
    public static XdsSnapshot Empty { get; } = new() { Revision = 0 };

    /// <summary>Grows with every snapshot of a process; ties log lines, acks and findings to one change.</summary>
    public required long Revision { get; init; }

    /// <summary>LDS resources, by name.</summary>
    public FrozenDictionary<string, XdsResource<Listener>> Listeners { get; init; } = FrozenDictionary<string, XdsResource<Listener>>.Empty;

    /// <summary>RDS resources, by name.</summary>
    public FrozenDictionary<string, XdsResource<RouteConfiguration>> RouteConfigurations { get; init; } =
        FrozenDictionary<string, XdsResource<RouteConfiguration>>.Empty;

    /// <summary>CDS resources, by name.</summary>
    public FrozenDictionary<string, XdsResource<Cluster>> Clusters { get; init; } = FrozenDictionary<string, XdsResource<Cluster>>.Empty;

    /// <summary>EDS resources, by cluster (or EDS service) name.</summary>
    public FrozenDictionary<string, XdsResource<ClusterLoadAssignment>> Endpoints { get; init; } =
        FrozenDictionary<string, XdsResource<ClusterLoadAssignment>>.Empty;

    /// <summary>SDS resources, by name.</summary>
    public FrozenDictionary<string, XdsResource<Secret>> Secrets { get; init; } = FrozenDictionary<string, XdsResource<Secret>>.Empty;

    /// <summary>
    /// Envoy's static runtime layer: limits that are no part of any resource (<c>re2.max_program_size.error_level</c>, the Module's
    /// <c>runtime_flags</c>). Read by Envoy at its start; null is Envoy's defaults.
    /// </summary>
    public Struct? Runtime { get; init; }
}
