using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Transport.Quic;
using HttpInspectorV3 = Envoy.Extensions.Filters.Listener.HttpInspector.V3.HttpInspector;
using ProxyProtocolV3 = Envoy.Extensions.Filters.Listener.ProxyProtocol.V3.ProxyProtocol;
using TlsInspectorV3 = Envoy.Extensions.Filters.Listener.TlsInspector.V3.TlsInspector;

namespace Nuncio.DataPlane.Binding;

/// <summary>Makes a <see cref="ListenerModel"/> of Envoy's Listener message.</summary>
internal sealed class ListenerBinder
{
    private const string HeaderCaseMetadata = "nuncio.header_case";

    private readonly FilterChainBinder _chains;

    private readonly AccessLogBinder _logs;

    public ListenerBinder(FilterChainBinder chains, AccessLogBinder logs)
    {
        _chains = chains;
        _logs = logs;
    }

    /// <summary>Binds a message; null with errors when it cannot be used.</summary>
    /// <param name="message">The message.</param>
    /// <param name="previous">The model in effect under this name, whose unchanged network filters are used again; null for none.</param>
    /// <param name="errors">Where errors go.</param>
    public ListenerModel? Bind(ListenerV3.Listener message, ListenerModel? previous, BindErrors errors)
    {
        var before = errors.Count;
        SupportedFields.Check(
            message, "", errors,
            "name", "address", "additional_addresses", "stat_prefix", "filter_chains", "default_filter_chain", "per_connection_buffer_limit_bytes", "metadata",
            "drain_type", "listener_filters", "listener_filters_timeout", "traffic_direction", "reuse_port", "enable_reuse_port", "tcp_backlog_size",
            "udp_listener_config", "max_connections_to_accept_per_socket_event", "bind_to_port", "ignore_global_conn_limit", "bypass_overload_manager", "tcp_keepalive", "access_log");
        var inspection = ValueBinder.Duration(message.ListenerFiltersTimeout, "listener_filters_timeout", errors);
        if (message.BindToPort is false)
        {
            errors.Add("bind_to_port", "A listener that does not listen is not supported.");
        }

        var logs = _logs.Bind(message.AccessLog, "", errors);
        var addresses = Addresses(message, errors);
        if (addresses.Count == 0 && message.UdpListenerConfig is not null && !QuicSupport.IsAvailable)
        {
            // One cause is one error: its filter chains are fit for QUIC alone.
            return null;
        }

        var isQuic = addresses.Exists(static address => address.IsUdp);
        var quic = isQuic ? Quic(message, addresses, errors) : null;
        var chains = new List<FilterChainModel>(message.FilterChains.Count);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var matches = new Dictionary<ListenerV3.FilterChainMatch, int>();
        for (var i = 0; i < message.FilterChains.Count; i++)
        {
            var path = $"filter_chains[{i}]";
            var chain = message.FilterChains[i];
            if (!matches.TryAdd(chain.FilterChainMatch ?? new ListenerV3.FilterChainMatch(), i))
            {
                errors.Add(path
                    + ".filter_chain_match", $"The same conditions as filter_chains[{matches[chain.FilterChainMatch ?? new ListenerV3.FilterChainMatch()]}].");
                continue;
            }

            if (_chains.Bind(chain, path, isQuic, keys, previous, errors) is { } model)
            {
                chains.Add(model);
            }
        }

        var byDefault = message.DefaultFilterChain is null ? null : _chains.Bind(message.DefaultFilterChain, "default_filter_chain", isQuic, keys, previous, errors);
        if (message.FilterChains.Count == 0 && message.DefaultFilterChain is null)
        {
            errors.Add("filter_chains", "A listener needs at least one filter chain.");
        }

        var filters = ListenerFilters(message, errors);
        var spelling = Spelling(message.Metadata, errors);
        if (errors.Count > before || addresses.Count == 0)
        {
            return null;
        }

        return new ListenerModel
        {
            Name = message.Name,
            Addresses = addresses,
            StatPrefix = message.StatPrefix.Length > 0 ? message.StatPrefix : addresses[0].StatName,
            Chains = new FilterChainIndex(chains, byDefault),
            AllChains = byDefault is null ? chains : [.. chains, byDefault],
            ProxyProtocol = filters.Proxy,

            // Envoy adds the inspector too where a chain cannot be chosen without it.
            InspectTls = filters.Tls || chains.Exists(static chain =>
                chain.Match.ServerNames.Count > 0 || chain.Match.TransportProtocol.Length > 0
                    || (chain.Match.ApplicationProtocols.Count > 0 && chain.Transport is not null)),
            InspectHttp = filters.Http,
            InspectionTimeout = inspection ?? TimeSpan.FromSeconds(15),
            AccessLogs = logs,
            HeaderSpelling = spelling,
            Quic = quic,
            Backlog = (int)Math.Min(message.TcpBacklogSize ?? 4096, 65535),
            BufferLimit = (int)Math.Min(message.PerConnectionBufferLimitBytes ?? 1024 * 1024, int.MaxValue / 2),
            KeepAlive = message.TcpKeepalive is { } keepAlive
                ? new TcpKeepAliveOptions((int?)keepAlive.KeepaliveProbes, (int?)keepAlive.KeepaliveTime, (int?)keepAlive.KeepaliveInterval)
                : null,
        };
    }

    // The one entry of metadata that means something here: lower-case names with their spelling.
    private static HeaderSpelling? Spelling(CoreV3.Metadata? metadata, BindErrors errors)
    {
        if (metadata is null || !metadata.FilterMetadata.TryGetValue(HeaderCaseMetadata, out var names))
        {
            return null;
        }

        foreach (var (name, value) in names.Fields)
        {
            if (value.KindCase != Value.KindOneofCase.StringValue || !value.StringValue.Equals(name, StringComparison.OrdinalIgnoreCase)
                || !Ascii.IsValid(name))
            {
                errors.Add($"metadata.filter_metadata[\"{HeaderCaseMetadata}\"]", $"The spelling of {name} must be that name with other capitals.");
            }
        }

        return errors.Any ? null : HeaderSpelling.Of(names.Fields.Values.Select(static value => value.StringValue));
    }

    /// <summary>Where a message wants to listen; what cannot be used is left out.</summary>
    public static List<ListenAddress> Addresses(ListenerV3.Listener message, BindErrors errors)
    {
        var addresses = new List<ListenAddress>(1 + message.AdditionalAddresses.Count);
        Add(message.Address, "address");
        for (var i = 0; i < message.AdditionalAddresses.Count; i++)
        {
            Add(message.AdditionalAddresses[i].Address, $"additional_addresses[{i}].address");
        }

        return addresses;

        void Add(CoreV3.Address? address, string path)
        {
            if (Address(address, path, errors) is { } bound)
            {
                addresses.Add(bound);
            }
        }
    }

    private static ListenAddress? Address(CoreV3.Address? address, string path, BindErrors errors)
    {
        var socket = address?.SocketAddress;
        if (socket is null)
        {
            errors.Add(path, "Only socket addresses are supported.");
            return null;
        }

        path += ".socket_address";
        var isUdp = socket.Protocol == CoreV3.SocketAddress.Types.Protocol.Udp;
        if (isUdp && !QuicSupport.IsAvailable)
        {
            errors.Add(path + ".protocol", QuicSupport.Missing);
            return null;
        }

        if (!IPAddress.TryParse(socket.Address, out var ip))
        {
            errors.Add(path + ".address", $"malformed IP address: {socket.Address}");
            return null;
        }

        if (socket.PortValue > ushort.MaxValue)
        {
            errors.Add(path + ".port_value", "The port is at most 65535.");
            return null;
        }

        return new ListenAddress(new IPEndPoint(ip, (int)socket.PortValue), ip.AddressFamily == AddressFamily.InterNetworkV6 && socket.Ipv4Compat, isUdp);
    }

    private static QuicListenerModel? Quic(ListenerV3.Listener message, List<ListenAddress> addresses, BindErrors errors)
    {
        const string Path = "udp_listener_config";
        SupportedFields.Check(message.UdpListenerConfig, Path, errors, "quic_options");
        if (message.UdpListenerConfig?.QuicOptions is not { } options || addresses.Exists(static address => !address.IsUdp))
        {
            errors.Add(Path, "UDP is supported for QUIC only, on listeners of their own.");
            return null;
        }

        if (message.ListenerFilters.Count > 0)
        {
            errors.Add("listener_filters", "Listener filters look at TCP connections; QUIC has none.");
        }

        const string QuicPath = Path + ".quic_options";
        const string ProtocolPath = QuicPath + ".quic_protocol_options";
        var protocol = options.QuicProtocolOptions_;
        SupportedFields.Check(options, QuicPath, errors, "quic_protocol_options", "idle_timeout", "crypto_handshake_timeout");
        SupportedFields.Check(
            protocol, ProtocolPath, errors, "max_concurrent_streams", "initial_stream_window_size", "initial_connection_window_size", "idle_network_timeout");
        var defaults = new QuicListenerModel();
        return new QuicListenerModel
        {
            MaxConcurrentStreams = (int)Math.Clamp(protocol?.MaxConcurrentStreams ?? (uint)defaults.MaxConcurrentStreams, 1, ushort.MaxValue),
            InitialStreamWindowSize = Window(protocol?.InitialStreamWindowSize, 16 << 20),
            InitialConnectionWindowSize = Window(protocol?.InitialConnectionWindowSize, 24 << 20),
            IdleTimeout = ValueBinder.Duration(protocol?.IdleNetworkTimeout, ProtocolPath + ".idle_network_timeout", errors)
                ?? ValueBinder.Duration(options.IdleTimeout, QuicPath + ".idle_timeout", errors) ?? defaults.IdleTimeout,
            HandshakeTimeout = ValueBinder.Duration(options.CryptoHandshakeTimeout, QuicPath + ".crypto_handshake_timeout", errors)
                ?? defaults.HandshakeTimeout,
        };
    }

    // Envoy takes no less than 16 KiB.
    private static int? Window(uint? value, uint atMost) => value is { } set ? (int)Math.Clamp(set, 16 << 10, atMost) : null;

    private static (ProxyProtocolModel? Proxy, bool Tls, bool Http) ListenerFilters(ListenerV3.Listener message, BindErrors errors)
    {
        ProxyProtocolModel? proxy = null;
        var tls = false;
        var http = false;
        for (var i = 0; i < message.ListenerFilters.Count; i++)
        {
            var path = $"listener_filters[{i}]";
            var filter = message.ListenerFilters[i];
            SupportedFields.Check(filter, path, errors, "name", "typed_config");
            switch (filter.TypedConfig)
            {
                case { } any when any.Is(TlsInspectorV3.Descriptor):
                    tls = true;
                    break;
                case { } any when any.Is(HttpInspectorV3.Descriptor):
                    http = true;
                    break;
                case { } any when any.Is(ProxyProtocolV3.Descriptor):
                    proxy = ProxyProtocol(any, path + ".typed_config", errors);
                    break;
                default:
                    errors.Add(path + ".typed_config", $"The listener filter {filter.TypedConfig?.TypeUrl ?? filter.Name} is not supported.");
                    break;
            }
        }

        return (proxy, tls, http);
    }

    private static ProxyProtocolModel? ProxyProtocol(Any any, string path, BindErrors errors)
    {
        if (!any.TryRead<ProxyProtocolV3>(out var message))
        {
            errors.Add(path, "This is not the configuration of the PROXY protocol.");
            return null;
        }

        SupportedFields.Check(message, path, errors, "allow_requests_without_proxy_protocol", "disallowed_versions", "stat_prefix");
        return new ProxyProtocolModel(
            message.AllowRequestsWithoutProxyProtocol,
            !message.DisallowedVersions.Contains(CoreV3.ProxyProtocolConfig.Types.Version.V1),
            !message.DisallowedVersions.Contains(CoreV3.ProxyProtocolConfig.Types.Version.V2));
    }
}
