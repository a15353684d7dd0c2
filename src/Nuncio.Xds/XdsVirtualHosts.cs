using System.Collections;
using Envoy.Config.Route.V3;

namespace Nuncio.Xds;

/// <summary>Virtual hosts that travel one by one (VHDS) rather than in their route configuration.</summary>
public static class XdsVirtualHosts
{
    /// <summary>
    /// What a client lists in <c>Node.client_features</c> that takes VHDS over incremental ADS as Envoy does it. Envoy itself is known by its version.
    /// </summary>
    public const string ClientFeature = "nuncio.vhds-over-ads";

    /// <summary>
    /// The name that a virtual host has as a resource: <c>ROUTE-CONFIGURATION/NAME</c>. Envoy takes what stands before the last slash for the route
    /// configuration (Envoy's documentation, "Virtual Host Resource Naming Convention").
    /// </summary>
    public static string NameOf(string routes, VirtualHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return $"{routes}/{host.Name.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal)}";
    }

    /// <summary>The route configuration in a resource's name; null where it has none.</summary>
    public static string? RoutesOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.LastIndexOf('/') is >= 0 and var slash ? name[..slash] : null;
    }

    /// <summary>A route configuration with other virtual hosts. It shares all parts: a clone would copy every route to throw it away.</summary>
    public static RouteConfiguration WithVirtualHosts(RouteConfiguration routes, IEnumerable<VirtualHost> hosts)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var copy = new RouteConfiguration();
        foreach (var field in RouteConfiguration.Descriptor.Fields.InFieldNumberOrder())
        {
            if (field.FieldNumber == RouteConfiguration.VirtualHostsFieldNumber) continue;
            var value = field.Accessor.GetValue(routes);
            if (field.IsMap)
            {
                var entries = (IDictionary)field.Accessor.GetValue(copy);
                foreach (DictionaryEntry entry in (IDictionary)value) entries.Add(entry.Key, entry.Value);
            }
            else if (field.IsRepeated)
            {
                var list = (IList)field.Accessor.GetValue(copy);
                foreach (var item in (IList)value) list.Add(item);
            }
            else if (value is not null)
            {
                field.Accessor.SetValue(copy, value);
            }
        }

        copy.VirtualHosts.AddRange(hosts);
        return copy;
    }
}
