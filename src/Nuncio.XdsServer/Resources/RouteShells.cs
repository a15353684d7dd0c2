using System.Runtime.CompilerServices;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.XdsServer.Resources;

/// <summary>Route configurations without their virtual hosts, which a client is to get by VHDS.</summary>
internal static class RouteShells
{
    private static readonly ConditionalWeakTable<IXdsResource, XdsResource<RouteConfiguration>> Known = [];

    /// <summary>What of a route configuration remains; the same object for the same resource, and an equal version while nothing of it changes.</summary>
    public static XdsResource<RouteConfiguration> Of(IXdsResource routes) => Known.GetValue(routes, static resource =>
    {
        var shell = XdsVirtualHosts.WithVirtualHosts((RouteConfiguration)resource.Message, []);
        // Without a limit for the first answer: after it Envoy would serve without any virtual host.
        shell.Vhds = new Vhds
        {
            ConfigSource = new ConfigSource { Ads = new AggregatedConfigSource(), ResourceApiVersion = ApiVersion.V3, InitialFetchTimeout = new Duration() },
        };
        return XdsResource<RouteConfiguration>.Create(resource.Name, shell);
    });
}
