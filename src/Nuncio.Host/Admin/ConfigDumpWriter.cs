using System.Buffers;
using Envoy.Admin.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Xds;

namespace Nuncio.Host.Admin;

/// <summary>A snapshot in the form of Envoy's <c>/config_dump</c>, every part as dynamic resources. Private keys and other secrets are never in it.</summary>
public static class ConfigDumpWriter
{
    private const string Redacted = "[redacted]";

    /// <summary>The dump as indented JSON.</summary>
    public static ReadOnlyMemory<byte> Write(XdsSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var output = new ArrayBufferWriter<byte>(65536);
        XdsJson.Write(Of(snapshot), output, indented: true);
        return output.WrittenMemory;
    }

    /// <summary>The dump as a message.</summary>
    public static ConfigDump Of(XdsSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var revision = snapshot.Revision.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var clusters = new ClustersConfigDump { VersionInfo = revision };
        foreach (var cluster in Ordered(snapshot.Clusters))
            clusters.DynamicActiveClusters.Add(
                new ClustersConfigDump.Types.DynamicCluster { VersionInfo = cluster.Version.ToString(), Cluster = Any.Pack(cluster.Message) });
        var endpoints = new EndpointsConfigDump();
        foreach (var assignment in Ordered(snapshot.Endpoints))
        {
            endpoints.DynamicEndpointConfigs.Add(
                new EndpointsConfigDump.Types.DynamicEndpointConfig
                {
                    VersionInfo = assignment.Version.ToString(),
                    EndpointConfig = Any.Pack(assignment.Message),
                });
        }

        var listeners = new ListenersConfigDump { VersionInfo = revision };
        foreach (var listener in Ordered(snapshot.Listeners))
        {
            var serving = new ListenersConfigDump.Types.DynamicListenerState
            {
                VersionInfo = listener.Version.ToString(),
                Listener = Any.Pack(listener.Message),
            };
            listeners.DynamicListeners.Add(new ListenersConfigDump.Types.DynamicListener { Name = listener.Name, ActiveState = serving });
        }

        var routes = new RoutesConfigDump();
        foreach (var route in Ordered(snapshot.RouteConfigurations))
        {
            routes.DynamicRouteConfigs.Add(
                new RoutesConfigDump.Types.DynamicRouteConfig { VersionInfo = route.Version.ToString(), RouteConfig = Any.Pack(route.Message) });
        }

        var secrets = new SecretsConfigDump();
        foreach (var secret in Ordered(snapshot.Secrets))
        {
            secrets.DynamicActiveSecrets.Add(new SecretsConfigDump.Types.DynamicSecret
            {
                Name = secret.Name,
                VersionInfo = secret.Version.ToString(),
                Secret = Any.Pack(WithoutKeys(secret.Message)),
            });
        }

        var dump = new ConfigDump();
        foreach (IMessage part in new IMessage[] { clusters, endpoints, listeners, routes, secrets })
            dump.Configs.Add(Any.Pack(part));
        return dump;
    }

    // Certificates are public; everything else of a secret is not.
    private static Secret WithoutKeys(Secret secret)
    {
        var shown = secret.Clone();
        if (shown.TlsCertificate is { } certificate)
        {
            if (certificate.PrivateKey is not null)
                certificate.PrivateKey = new() { InlineString = Redacted };
            if (certificate.Password is not null)
                certificate.Password = new() { InlineString = Redacted };
        }

        if (shown.SessionTicketKeys is { } tickets)
        {
            tickets.Keys.Clear();
            tickets.Keys.Add(new Envoy.Config.Core.V3.DataSource { InlineString = Redacted });
        }

        if (shown.GenericSecret is not null)
            shown.GenericSecret = new GenericSecret { Secret = new() { InlineString = Redacted } };
        return shown;
    }

    private static IEnumerable<XdsResource<T>> Ordered<T>(IReadOnlyDictionary<string, XdsResource<T>> resources)
        where T : class, IMessage => resources.Values.OrderBy(resource => resource.Name, StringComparer.Ordinal);
}
