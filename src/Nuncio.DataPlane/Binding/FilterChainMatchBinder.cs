using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Binding;

/// <summary>
/// Makes a <see cref="FilterChainMatchModel"/> of Envoy's FilterChainMatch message; apart from the chain, because explaining a request needs no more.
/// </summary>
public static class FilterChainMatchBinder
{
    /// <summary>Binds a match; null is no condition.</summary>
    public static FilterChainMatchModel Bind(ListenerV3.FilterChainMatch? message, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        if (message is null)
        {
            return FilterChainMatchModel.Any;
        }

        SupportedFields.Check(
            message, path, errors,
            "destination_port", "prefix_ranges", "direct_source_prefix_ranges", "source_type", "source_prefix_ranges", "source_ports", "server_names",
            "transport_protocol", "application_protocols");
        if (message.DestinationPort is 0 or > ushort.MaxValue)
        {
            errors.Add(path + ".destination_port", "The port is between 1 and 65535.");
        }

        for (var i = 0; i < message.ServerNames.Count; i++)
        {
            // Envoy: "*.example.com" and "example.com", but no "*" inside a name and none alone.
            if (message.ServerNames[i].TrimStart('*').Contains('*', StringComparison.Ordinal) || message.ServerNames[i] is "*" or "" or "*.")
            {
                errors.Add($"{path}.server_names[{i}]", "Partial wildcards are not supported in server_names.");
            }
        }

        return new FilterChainMatchModel
        {
            DestinationPort = (int?)message.DestinationPort,
            DestinationNetworks = Networks(message.PrefixRanges, path + ".prefix_ranges", errors),
            ServerNames = [.. message.ServerNames.Select(static name => name.ToLowerInvariant())],
            TransportProtocol = message.TransportProtocol,
            ApplicationProtocols = [.. message.ApplicationProtocols],
            DirectSourceNetworks = Networks(message.DirectSourcePrefixRanges, path + ".direct_source_prefix_ranges", errors),
            SourceType = message.SourceType,
            SourceNetworks = Networks(message.SourcePrefixRanges, path + ".source_prefix_ranges", errors),
            SourcePorts = [.. message.SourcePorts.Select(static port => (int)port)],
        };
    }

    private static List<IPNetwork> Networks(Google.Protobuf.Collections.RepeatedField<CoreV3.CidrRange> ranges, string path, BindErrors errors)
    {
        var networks = new List<IPNetwork>(ranges.Count);
        for (var i = 0; i < ranges.Count; i++)
        {
            if (!IPAddress.TryParse(ranges[i].AddressPrefix, out var address))
            {
                errors.Add($"{path}[{i}].address_prefix", $"malformed IP address: {ranges[i].AddressPrefix}");
                continue;
            }

            var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
            networks.Add(Masked(address, (int)Math.Min(ranges[i].PrefixLen ?? 0, (uint)bits)));
        }

        return networks;
    }

    // IPNetwork wants the bits behind the prefix to be zero; messages need not have them so.
    private static IPNetwork Masked(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var bits = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - bits));
        }

        return new IPNetwork(new IPAddress(bytes), length);
    }
}
