using System.Net;

namespace Nuncio.DataPlane.Model;

/// <summary>The endpoints of a cluster (<c>config.endpoint.v3.ClusterLoadAssignment</c>).</summary>
public sealed record AssignmentModel
{
    /// <summary>An assignment without endpoints.</summary>
    public static AssignmentModel Empty { get; } = new();

    /// <summary>Groups of endpoints.</summary>
    public IReadOnlyList<LocalityModel> Localities { get; init; } = [];

    /// <summary>How much more than its share the healthy part of a priority can take, in percent. Default 140.</summary>
    public uint OverprovisioningFactor { get; init; } = 140;
}

/// <summary>A group of endpoints at one place with one priority.</summary>
public sealed record LocalityModel
{
    /// <summary>Region, zone and sub-zone, separated by slashes; empty without.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its weight among localities; null counts as unset.</summary>
    public uint? Weight { get; init; }

    /// <summary>0 is used first.</summary>
    public uint Priority { get; init; }

    /// <summary>The endpoints.</summary>
    public required IReadOnlyList<EndpointModel> Endpoints { get; init; }
}

/// <summary>One endpoint: an address, or a name that stands for some.</summary>
public sealed record EndpointModel
{
    /// <summary>The address or DNS name.</summary>
    public required string Host { get; init; }

    /// <summary>The port.</summary>
    public required ushort Port { get; init; }

    /// <summary><see cref="Host"/> where it is an address.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>The name for auto_host_rewrite and hashing; empty where there is none.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>At least 1. Default 1.</summary>
    public uint Weight { get; init; } = 1;

    /// <summary>What the control plane says of it.</summary>
    public CoreV3.HealthStatus Health { get; init; }

    /// <summary>The port of active checks; 0 is the endpoint's.</summary>
    public ushort HealthCheckPort { get; init; }

    /// <summary>The host of active checks; empty is the check's own.</summary>
    public string HealthCheckHostname { get; init; } = "";

    /// <summary>Not checked, taken as healthy.</summary>
    public bool DisableActiveHealthCheck { get; init; }
}
