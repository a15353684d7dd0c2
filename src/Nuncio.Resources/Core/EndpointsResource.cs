using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Core;

/// <summary>kind Endpoints: the addresses of the Service of the same name.</summary>
public sealed record EndpointsResource : Resource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "Endpoints";

    public ValueList<EndpointSubset> Subsets { get; init; } = ValueList<EndpointSubset>.Empty;
}

/// <summary>Addresses that all have the same ports.</summary>
/// <param name="Addresses">IP addresses that are ready.</param>
/// <param name="NotReadyAddresses">IP addresses that are not.</param>
/// <param name="Ports">The ports of each.</param>
public sealed record EndpointSubset(ValueList<string> Addresses, ValueList<string> NotReadyAddresses, ValueList<EndpointPort> Ports);

/// <summary>A port of an endpoint.</summary>
/// <param name="Name">The name of the Service's port; null or empty when it has none.</param>
/// <param name="Port">Null (of EndpointSlices only) is all ports.</param>
/// <param name="Protocol">Null is TCP.</param>
public sealed record EndpointPort(string? Name, int? Port, string? Protocol);

/// <summary>kind EndpointSlice (<c>discovery.k8s.io</c>).</summary>
public sealed record EndpointSliceResource : Resource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "EndpointSlice";

    /// <summary>The label that names the Service.</summary>
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    /// <summary><c>IPv4</c>, <c>IPv6</c> or <c>FQDN</c>.</summary>
    public string? AddressType { get; init; }

    /// <summary>The Service these endpoints belong to; null when the label is missing.</summary>
    public string? ServiceName => Labels.GetValueOrDefault(ServiceNameLabel);

    public ValueList<SliceEndpoint> Endpoints { get; init; } = ValueList<SliceEndpoint>.Empty;

    public ValueList<EndpointPort> Ports { get; init; } = ValueList<EndpointPort>.Empty;
}

/// <summary>An endpoint of a slice.</summary>
/// <param name="Addresses">Interchangeable addresses; the first is used.</param>
/// <param name="Ready">Null is true.</param>
public sealed record SliceEndpoint(ValueList<string> Addresses, bool? Ready);
