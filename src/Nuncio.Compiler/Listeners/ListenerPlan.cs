using Nuncio.Resources.Collections;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Listeners;

/// <summary>A Listener that can be opened (SPEC 4.4).</summary>
internal sealed record ListenerPlan
{
    /// <summary>The Listener; null for one that stands in where there are none, or that a TCPMapping asks for.</summary>
    public required ListenerResource? Resource { get; init; }

    /// <summary>Whose findings this listener's are.</summary>
    public Resource? Origin { get; init; }

    public required string Name { get; init; }

    public required string Address { get; init; }

    public required int Port { get; init; }

    /// <summary>HTTP/3 over QUIC when HTTP is in the stack.</summary>
    public bool IsUdp { get; init; }

    public bool HasHttp { get; init; }

    public bool HasTls { get; init; }

    /// <summary>Every connection must begin with a PROXY protocol header.</summary>
    public bool HasProxyProtocol { get; init; }

    /// <summary>HTTP/3 is served on the same port by UDP, which responses announce.</summary>
    public bool AnnouncesHttp3 { get; init; }

    public required SecurityModel SecurityModel { get; init; }

    /// <summary>The namespace Hosts are taken from; null: all.</summary>
    public string? HostNamespace { get; init; }

    /// <summary>The labels that Hosts must have; empty: any.</summary>
    public ValueMap<string> HostSelector { get; init; } = ValueMap<string>.Empty;

    public int TrustedHops { get; init; }

    public required string StatPrefix { get; init; }

    public uint? Http2MaxConcurrentStreams { get; init; }

    /// <summary>
    /// What its routes depend on, besides Hosts and Mappings: two listeners with the same text share their route configurations, whose names begin with it.
    /// </summary>
    public string RouteScope => _routeScope ??= ComputeRouteScope();

    private string? _routeScope;

    private string ComputeRouteScope()
    {
        var scope = SecurityModel.ToString().ToLowerInvariant() + "/" + (HostNamespace ?? "*");
        foreach (var (key, value) in HostSelector) scope += $",{key}={value}";
        return AnnouncesHttp3 ? scope + "/h3" : scope;
    }
}
