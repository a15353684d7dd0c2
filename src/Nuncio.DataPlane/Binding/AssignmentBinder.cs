using System.Net;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Binding;

/// <summary>Makes an <see cref="AssignmentModel"/> of a ClusterLoadAssignment, inline or from EDS.</summary>
public static class AssignmentBinder
{
    /// <summary>Binds a message; null is an assignment without endpoints.</summary>
    /// <param name="message">The message.</param>
    /// <param name="discovery">Names are only allowed with DNS.</param>
    /// <param name="path">Its place in the resource; empty for an EDS resource.</param>
    /// <param name="errors">Where errors go.</param>
    public static AssignmentModel Bind(EndpointV3.ClusterLoadAssignment? message, ClusterDiscovery discovery, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        if (message == null)
        {
            return AssignmentModel.Empty;
        }

        SupportedFields.Check(message, path, errors, "cluster_name", "endpoints", "policy");
        SupportedFields.Check(message.Policy, BindErrors.Path(path, "policy"), errors, "overprovisioning_factor");
        var factor = message.Policy?.OverprovisioningFactor ?? 140;
        if (factor == 0)
        {
            errors.Add(BindErrors.Path(path, "policy.overprovisioning_factor"), "The factor must be above zero.");
        }

        var localities = new List<LocalityModel>(message.Endpoints.Count);
        var total = 0;
        for (var i = 0; i < message.Endpoints.Count; i++)
        {
            var locality = Locality(message.Endpoints[i], discovery, BindErrors.Path(path, "endpoints", i), errors);
            total += locality.Endpoints.Count;
            localities.Add(locality);
        }

        if (discovery == ClusterDiscovery.LogicalDns && total != 1)
        {
            errors.Add(BindErrors.Path(path, "endpoints"), "A LOGICAL_DNS cluster must have a single endpoint.");
        }

        return new AssignmentModel { Localities = localities, OverprovisioningFactor = factor };
    }

    private static LocalityModel Locality(EndpointV3.LocalityLbEndpoints message, ClusterDiscovery discovery, string path, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "locality", "metadata", "lb_endpoints", "load_balancing_weight", "priority", "proximity");
        if (message.Priority > 128)
        {
            errors.Add(path + ".priority", "The priority is at most 128.");
        }

        var endpoints = new List<EndpointModel>(message.LbEndpoints.Count);
        for (var i = 0; i < message.LbEndpoints.Count; i++)
        {
            if (Endpoint(message.LbEndpoints[i], discovery, BindErrors.Path(path, "lb_endpoints", i), errors) is { } endpoint)
            {
                endpoints.Add(endpoint);
            }
        }

        var locality = message.Locality;
        return new LocalityModel
        {
            Name = locality == null ? "" : $"{locality.Region}/{locality.Zone}/{locality.SubZone}",
            Weight = message.LoadBalancingWeight,
            Priority = Math.Min(message.Priority, 128),
            Endpoints = endpoints,
        };
    }

    private static EndpointModel? Endpoint(EndpointV3.LbEndpoint message, ClusterDiscovery discovery, string path, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "endpoint", "health_status", "metadata", "load_balancing_weight");
        SupportedFields.Check(message.Endpoint, path + ".endpoint", errors, "address", "health_check_config", "hostname");
        var addressPath = path + ".endpoint.address.socket_address";
        var socket = message.Endpoint?.Address?.SocketAddress;
        if (socket == null || socket.Protocol != CoreV3.SocketAddress.Types.Protocol.Tcp
            || socket.PortSpecifierCase != CoreV3.SocketAddress.PortSpecifierOneofCase.PortValue)
        {
            errors.Add(addressPath, "A TCP address with a port number is required.");
            return null;
        }

        SupportedFields.Check(socket, addressPath, errors, "protocol", "address", "port_value", "ipv4_compat");
        if (socket.PortValue > ushort.MaxValue)
        {
            errors.Add(addressPath + ".port_value", "The port is at most 65535.");
            return null;
        }

        // Only whole addresses: the parser would also take "1.2" and "80", which are names.
        var isAddress = IPAddress.TryParse(socket.Address, out var ip) && (socket.Address.Contains(':') || socket.Address.AsSpan().Count('.') == 3);
        if (!isAddress && (discovery is ClusterDiscovery.Static or ClusterDiscovery.Eds))
        {
            errors.Add(addressPath + ".address", $"malformed IP address: {socket.Address}. Consider setting type of cluster to STRICT_DNS or LOGICAL_DNS.");
            return null;
        }

        if (socket.Address.Length == 0)
        {
            errors.Add(addressPath + ".address", "An address is required.");
            return null;
        }

        var check = message.Endpoint!.HealthCheckConfig;
        SupportedFields.Check(check, path + ".endpoint.health_check_config", errors, "port_value", "hostname", "disable_active_health_check");
        if (message.LoadBalancingWeight == 0)
        {
            errors.Add(path + ".load_balancing_weight", "The weight is at least 1.");
        }

        return new EndpointModel
        {
            Host = socket.Address,
            Port = (ushort)socket.PortValue,
            Address = isAddress ? ip : null,

            // Envoy: the name of a DNS endpoint is its host name where none is given.
            Hostname = message.Endpoint.Hostname.Length > 0 ? message.Endpoint.Hostname
                : discovery is ClusterDiscovery.StrictDns or ClusterDiscovery.LogicalDns ? socket.Address
                : "",
            Weight = Math.Max(1, message.LoadBalancingWeight ?? 1),
            Health = message.HealthStatus,
            HealthCheckPort = (ushort)(check?.PortValue ?? 0),
            HealthCheckHostname = check?.Hostname ?? "",
            DisableActiveHealthCheck = check?.DisableActiveHealthCheck ?? false,
        };
    }
}
