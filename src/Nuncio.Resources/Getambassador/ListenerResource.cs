using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>A port that is opened (kind Listener). Spec section 4.4.</summary>
public sealed record ListenerResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "Listener";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required ListenerSpec Spec { get; init; }
}

/// <summary>The fields of a Listener.</summary>
public sealed record ListenerSpec
{
    /// <summary>1 to 65535.</summary>
    public required int Port { get; init; }

    /// <summary>Shorthand for a stack.</summary>
    public ListenerProtocol? Protocol { get; init; }

    /// <summary>The explicit stack, outermost protocol first as written.</summary>
    public ValueList<ProtocolLayer>? ProtocolStack { get; init; }

    public required SecurityModel SecurityModel { get; init; }

    public required HostBinding HostBinding { get; init; }

    /// <summary>How many proxies in front are trusted; null is 0.</summary>
    public int? L7Depth { get; init; }

    public string? StatsPrefix { get; init; }

    public long? Http2MaxConcurrentStreams { get; init; }

    /// <summary>Not in the CRD, but read from files and annotations; null is the process' bind address.</summary>
    public string? BindAddress { get; init; }
}

/// <summary>Which Hosts a Listener serves.</summary>
/// <param name="NamespaceFrom"><c>namespace.from</c>; null when absent.</param>
/// <param name="Selector">By label; null when absent.</param>
public sealed record HostBinding(NamespaceSelection? NamespaceFrom, LabelSelector? Selector);

/// <summary>The namespaces a Listener takes Hosts from.</summary>
public enum NamespaceSelection
{
    Self,
    All,

    /// <summary>Passes the schema; not supported.</summary>
    Selector,
}

/// <summary>Protocol stacks by name.</summary>
public enum ListenerProtocol
{
    Http,
    Https,
    HttpProxy,
    HttpsProxy,
    Tcp,
    Tls,

    /// <summary>Passes the schema; not valid.</summary>
    Udp,
}

/// <summary>One layer of a protocol stack.</summary>
public enum ProtocolLayer
{
    Http,
    Proxy,
    Tls,
    Tcp,
    Udp,
}

/// <summary>What counts as a secure request.</summary>
public enum SecurityModel
{
    /// <summary>One that says <c>x-forwarded-proto: https</c>.</summary>
    Xfp,

    /// <summary>Every one.</summary>
    Secure,

    /// <summary>None.</summary>
    Insecure,
}
