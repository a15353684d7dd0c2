using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Core;

/// <summary>kind Service.</summary>
public sealed record ServiceResource : Resource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "Service";

    public string? Type { get; init; }

    public string? ClusterIp { get; init; }

    public string? ExternalName { get; init; }

    public ValueMap<string> Selector { get; init; } = ValueMap<string>.Empty;

    public ValueList<ServicePort> Ports { get; init; } = ValueList<ServicePort>.Empty;
}

/// <summary>A port of a Service.</summary>
/// <param name="Name">Null when it has none.</param>
/// <param name="Port">The port of the Service.</param>
/// <param name="TargetPortNumber">The port of the pods by number; null when absent or by name.</param>
/// <param name="TargetPortName">The port of the pods by name; null when absent or by number.</param>
/// <param name="Protocol">Null is TCP.</param>
/// <param name="AppProtocol">Null when absent.</param>
public sealed record ServicePort(string? Name, int Port, int? TargetPortNumber, string? TargetPortName, string? Protocol, string? AppProtocol);
