using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tls;
using ConnectionLimitV3 = Envoy.Extensions.Filters.Network.ConnectionLimit.V3.ConnectionLimit;
using QuicV3 = Envoy.Extensions.TransportSockets.Quic.V3.QuicDownstreamTransport;
using RawBufferV3 = Envoy.Extensions.TransportSockets.RawBuffer.V3.RawBuffer;
using TcpProxyV3 = Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy;

namespace Nuncio.DataPlane.Binding;

/// <summary>Makes a <see cref="FilterChainModel"/> of Envoy's FilterChain message.</summary>
internal sealed class FilterChainBinder
{
    // A connection that is only kept waiting is still one: it must not be kept for as long as somebody likes.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    private readonly Func<HcmV3.HttpConnectionManager, string, BindErrors, NetworkFilterModel?> _bindHttp;
    private readonly Func<TcpProxyV3, string, BindErrors, NetworkFilterModel?> _bindTcp;
    private readonly SecretTable _secrets;
    private readonly MetricsRegistry _metrics;
    private readonly TimeProvider _time;

    public FilterChainBinder(
        Func<HcmV3.HttpConnectionManager, string, BindErrors, NetworkFilterModel?> bindHttp,
        Func<TcpProxyV3, string, BindErrors, NetworkFilterModel?> bindTcp,
        SecretTable secrets,
        MetricsRegistry metrics,
        TimeProvider time)
    {
        _metrics = metrics;
        _bindHttp = bindHttp;
        _bindTcp = bindTcp;
        _secrets = secrets;
        _time = time;
    }

    /// <summary>Binds a chain; null with errors when it cannot be used.</summary>
    /// <param name="message">The message.</param>
    /// <param name="path">Its place in the listener.</param>
    /// <param name="isQuic">The listener speaks QUIC, not TCP.</param>
    /// <param name="keys">The keys of the listener's other chains.</param>
    /// <param name="previous">The model in effect; null for none.</param>
    /// <param name="errors">Where errors go.</param>
    public FilterChainModel? Bind(
        ListenerV3.FilterChain message, string path, bool isQuic, HashSet<string> keys, ListenerModel? previous, BindErrors errors)
    {
        var before = errors.Count;
        SupportedFields.Check(
            message, path, errors, "filter_chain_match", "filters", "metadata", "transport_socket", "transport_socket_connect_timeout", "name");
        var match = FilterChainMatchBinder.Bind(message.FilterChainMatch, BindErrors.Path(path, "filter_chain_match"), errors);
        var transport = Transport(message.TransportSocket, isQuic, BindErrors.Path(path, "transport_socket"), errors);
        if (message.Filters.Count == 0)
        {
            errors.Add(path + ".filters", "A filter chain needs a network filter.");
            return null;
        }

        var key = message.Name.Length > 0 ? message.Name : "match " + message.FilterChainMatch;
        while (!keys.Add(key))
        {
            key += "'";
        }

        var timeout = ValueBinder.Duration(message.TransportSocketConnectTimeout, BindErrors.Path(path, "transport_socket_connect_timeout"), errors)
            ?? TimeSpan.Zero;
        var last = message.Filters.Count - 1;
        var filter = Filter(message.Filters[last], BindErrors.Path(path, "filters", last), key, previous, errors);
        if (filter is not null && isQuic != filter is HttpConnectionFilterModel { IsHttp3: true })
        {
            errors.Add(
                BindErrors.Path(path, "filters", last) + ".typed_config",
                isQuic ? "QUIC carries HTTP/3, and nothing else: the codec_type must be HTTP3." : "HTTP/3 needs QUIC, and with it a UDP port.");
        }

        var limits = new List<ConnectionLimit>(last);
        for (var i = 0; i < last; i++)
        {
            if (Limit(message.Filters[i], BindErrors.Path(path, "filters", i), key, i, previous, errors) is { } limit)
            {
                limits.Add(limit);
            }
        }

        if (filter is null || errors.Count > before)
        {
            return null;
        }

        return new FilterChainModel
        {
            Key = key,
            Match = match,
            Transport = transport,
            Filter = filter,
            Limits = limits,
            LimitSources = [.. message.Filters.Take(last).Select(static limit => limit.TypedConfig)],

            // Without one of its own, a handshake has as long as looking at the first bytes: nobody may hold a connection by saying nothing.
            HandshakeTimeout = timeout > TimeSpan.Zero ? timeout : TimeSpan.FromSeconds(15),
        };
    }

    // Whatever stands before the filter that serves a connection can only turn it away.
    private ConnectionLimit? Limit(ListenerV3.Filter message, string path, string key, int index, ListenerModel? previous, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "name", "typed_config");
        path += ".typed_config";
        if (message.TypedConfig is not { } any || !any.TryRead<ConnectionLimitV3>(out var limit))
        {
            errors.Add(path, $"The network filter {message.TypedConfig?.TypeUrl ?? message.Name} is not supported before the one that serves the connection.");
            return null;
        }

        var before = errors.Count;
        var most = limit.MaxConnections ?? 0;
        if (most == 0)
        {
            errors.Add(path + ".max_connections", "At least one connection must be allowed.");
        }

        if (limit.StatPrefix.Length == 0)
        {
            errors.Add(path + ".stat_prefix", "A connection limit needs a stat_prefix.");
        }

        var delay = ValueBinder.Duration(limit.Delay, path + ".delay", errors) ?? TimeSpan.Zero;
        if (errors.Count > before || limit.RuntimeEnabled?.DefaultValue is false)
        {
            return null;
        }

        foreach (var chain in previous?.AllChains ?? [])
        {
            if (chain.Key == key && chain.Limits.Count == chain.LimitSources.Count && index < chain.Limits.Count && chain.LimitSources[index].Equals(any))
            {
                return chain.Limits[index];
            }
        }

        return new ConnectionLimit(limit.StatPrefix, most, delay < LongestDelay ? delay : LongestDelay, _metrics);
    }

    private DownstreamTlsModel? Transport(CoreV3.TransportSocket? socket, bool isQuic, string path, BindErrors errors)
    {
        if (isQuic)
        {
            return Quic(socket, path, errors);
        }

        if (socket is null || (socket.TypedConfig is { } raw && raw.Is(RawBufferV3.Descriptor)))
        {
            return null;
        }

        if (socket.TypedConfig is not { } any || !any.Is(TlsV3.DownstreamTlsContext.Descriptor) || !any.TryRead<TlsV3.DownstreamTlsContext>(out var message))
        {
            errors.Add(path + ".typed_config", $"The transport socket {socket.TypedConfig?.TypeUrl ?? socket.Name} is not supported.");
            return null;
        }

        return DownstreamTlsModel.Bind(message, path + ".typed_config", _secrets, _time, errors);
    }

    private DownstreamTlsModel? Quic(CoreV3.TransportSocket? socket, string path, BindErrors errors)
    {
        path += ".typed_config";
        if (socket?.TypedConfig is not { } any || !any.Is(QuicV3.Descriptor) || !any.TryRead<QuicV3>(out var message) || message.DownstreamTlsContext is not { } tls)
        {
            errors.Add(path, $"QUIC needs its transport socket with TLS, and not {socket?.TypedConfig?.TypeUrl ?? socket?.Name ?? "none"}.");
            return null;
        }

        if (message.EnableEarlyData is true)
        {
            errors.AddPartial(path + ".enable_early_data", "What clients send before their handshake is done waits for it.");
        }

        return DownstreamTlsModel.BindQuic(tls, path + ".downstream_tls_context", _secrets, _time, errors);
    }

    private NetworkFilterModel? Filter(ListenerV3.Filter message, string path, string key, ListenerModel? previous, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "name", "typed_config");
        path += ".typed_config";
        var any = message.TypedConfig;
        if (any is null)
        {
            errors.Add(path, $"The network filter {message.Name} has no configuration.");
            return null;
        }

        if (previous is not null)
        {
            foreach (var chain in previous.AllChains)
            {
                if (chain.Key == key && chain.Filter.Source is { } source && source.Equals(any))
                {
                    errors.AddAll(path, chain.Filter.Remarks);
                    return chain.Filter;
                }
            }
        }

        var own = new BindErrors();
        var filter = Unpack(any, own);
        errors.AddAll(path, own);
        if (filter is not null)
        {
            filter.Source = any;
            filter.Remarks = own;
        }

        return filter;
    }

    private NetworkFilterModel? Unpack(Any any, BindErrors errors)
    {
        if (any.TryRead<HcmV3.HttpConnectionManager>(out var http))
        {
            return _bindHttp(http, "", errors);
        }

        if (any.TryRead<TcpProxyV3>(out var tcp))
        {
            return _bindTcp(tcp, "", errors);
        }

        var isKnown = any.Is(HcmV3.HttpConnectionManager.Descriptor) || any.Is(TcpProxyV3.Descriptor);
        errors.Add("", isKnown ? $"The bytes are not those of {any.TypeUrl}." : $"The network filter {any.TypeUrl} is not supported.");
        return null;
    }
}
