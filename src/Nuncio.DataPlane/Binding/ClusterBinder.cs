using System.Buffers;
using System.Net;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Transport;
using HttpProtocolOptionsV3 = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;
using LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy;

namespace Nuncio.DataPlane.Binding;

/// <summary>Makes a <see cref="ClusterModel"/> of Envoy's Cluster message. Defaults and limits are Envoy 1.40's.</summary>
public sealed class ClusterBinder
{
    private const string HttpOptionsName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    private static readonly SearchValues<char> HeaderNameCharacters =
        SearchValues.Create(":!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly TimeSpan MaxDuration = TimeSpan.FromDays(365 * 10);

    private readonly Func<CoreV3.TransportSocket, string, BindErrors, UpstreamTransportModel?> _bindTransport;

    /// <summary>A binder.</summary>
    /// <param name="bindTransport">Binds a transport socket; null stands for cleartext or an error that it has added.</param>
    public ClusterBinder(Func<CoreV3.TransportSocket, string, BindErrors, UpstreamTransportModel?> bindTransport) => _bindTransport = bindTransport;

    /// <summary>Binds a message; null when <paramref name="errors"/> has got any.</summary>
    public ClusterModel? Bind(ClusterV3.Cluster message, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(errors);
        var (before, remarks) = (errors.Count, errors.All.Count);
        SupportedFields.Check(
            message, "", errors,
            "name", "alt_stat_name", "type", "eds_cluster_config", "connect_timeout", "per_connection_buffer_limit_bytes", "lb_policy", "load_assignment",
            "health_checks", "max_requests_per_connection", "circuit_breakers", "upstream_http_protocol_options", "common_http_protocol_options",
            "http_protocol_options", "http2_protocol_options", "typed_extension_protocol_options", "dns_refresh_rate", "dns_failure_refresh_rate",
            "respect_dns_ttl", "dns_lookup_family", "wait_for_warm_on_init", "outlier_detection", "cleanup_interval", "upstream_bind_config",
            "ring_hash_lb_config", "maglev_lb_config", "least_request_lb_config", "round_robin_lb_config", "common_lb_config", "transport_socket", "metadata",
            "protocol_selection", "upstream_connection_options", "close_connections_on_host_health_failure", "ignore_health_on_host_removal");
        if (message.Name.Length == 0)
        {
            errors.Add("name", "A cluster needs a name.");
        }

        var discovery = Discovery(message, errors);
        var http = HttpOptions(message, errors);
        var common = http.Common;
        var timeoutUnset = message.ConnectTimeout == null;
        var model = new ClusterModel
        {
            Name = message.Name,
            StatName = message.AltStatName.Length > 0 ? message.AltStatName : message.Name,
            Discovery = discovery,
            EndpointsName = discovery == ClusterDiscovery.Eds && message.EdsClusterConfig is { ServiceName.Length: > 0 } eds ? eds.ServiceName : message.Name,
            Assignment = discovery == ClusterDiscovery.Eds ? null : AssignmentBinder.Bind(message.LoadAssignment, discovery, "load_assignment", errors),
            Connect = new TransportConnectOptions
            {
                ConnectTimeout = timeoutUnset ? TimeSpan.FromSeconds(5) : Duration(message.ConnectTimeout, "connect_timeout", errors, positive: true),
                KeepAlive = KeepAlive(message.UpstreamConnectionOptions, errors),
                Source = Source(message.UpstreamBindConfig, errors),
            },
            Protocol = http.Protocol,
            Http1 = http.Http1,
            Http2 = http.Http2,
            Transport = message.TransportSocket == null ? null : _bindTransport(message.TransportSocket, "transport_socket", errors),
            AutoName = http.AutoName,
            IdleTimeout = common?.IdleTimeout == null ? TimeSpan.FromHours(1) : Optional(common.IdleTimeout, http.CommonPath + ".idle_timeout", errors),
            MaxConnectionDuration = Optional(common?.MaxConnectionDuration, http.CommonPath + ".max_connection_duration", errors),
            MaxStreamDuration = Optional(common?.MaxStreamDuration, http.CommonPath + ".max_stream_duration", errors),
            MaxRequestsPerConnection = common?.MaxRequestsPerConnection ?? message.MaxRequestsPerConnection ?? 0,
            MaxResponseHeadersCount = common?.MaxHeadersCount ?? 100,
            MaxResponseHeadersBytes = (common?.MaxResponseHeadersKb ?? 60) * 1024,
            BufferLimit = message.PerConnectionBufferLimitBytes ?? 1024 * 1024,
            LoadBalancing = LoadBalancing(message, errors),
            CircuitBreakers = CircuitBreakers(message.CircuitBreakers, errors),
            HealthChecks = HealthCheckBinder.Bind(message.HealthChecks, errors),
            OutlierDetection = message.OutlierDetection == null ? null : OutlierDetectionBinder.Bind(message.OutlierDetection, errors),
            Dns = Dns(message, errors),
            CloseConnectionsOnHealthFailure = message.CloseConnectionsOnHostHealthFailure,
            Message = message,
        };
        model.Remarks = [.. errors.All.Skip(remarks).Where(static error => error.IsPartial)];
        return errors.Count > before ? null : model;
    }

    private static ClusterDiscovery Discovery(ClusterV3.Cluster message, BindErrors errors)
    {
        switch (message.Type)
        {
            case ClusterV3.Cluster.Types.DiscoveryType.Static:
                return ClusterDiscovery.Static;
            case ClusterV3.Cluster.Types.DiscoveryType.StrictDns:
                return ClusterDiscovery.StrictDns;
            case ClusterV3.Cluster.Types.DiscoveryType.LogicalDns:
                return ClusterDiscovery.LogicalDns;
            case ClusterV3.Cluster.Types.DiscoveryType.Eds:
                return ClusterDiscovery.Eds;
            default:
                errors.Add("type", $"The discovery type {message.Type} is not supported.");
                return ClusterDiscovery.Static;
        }
    }

    private static HttpOptionsParts HttpOptions(ClusterV3.Cluster message, BindErrors errors)
    {
        foreach (var (name, _) in message.TypedExtensionProtocolOptions)
        {
            if (name != HttpOptionsName)
            {
                errors.Add($"typed_extension_protocol_options[\"{name}\"]", "Only HTTP protocol options are supported.");
            }
        }

        if (!message.TypedExtensionProtocolOptions.TryGetValue(HttpOptionsName, out var any))
        {
            // The older fields, which Emissary's clusters still use.
            CheckCommon(message.CommonHttpProtocolOptions, "common_http_protocol_options", errors);
            CheckHttp1(message.HttpProtocolOptions, "http_protocol_options", errors);
            CheckHttp2(message.Http2ProtocolOptions, "http2_protocol_options", errors);
            var autoName = AutoName(message.UpstreamHttpProtocolOptions, "upstream_http_protocol_options", errors);
            var protocol = message.ProtocolSelection == ClusterV3.Cluster.Types.ClusterProtocolSelection.UseDownstreamProtocol ? UpstreamProtocol.Downstream
                : message.Http2ProtocolOptions != null ? UpstreamProtocol.Http2
                : UpstreamProtocol.Http1;
            return new(
                protocol, message.HttpProtocolOptions, message.Http2ProtocolOptions, message.CommonHttpProtocolOptions,
                "common_http_protocol_options", autoName);
        }

        var path = $"typed_extension_protocol_options[\"{HttpOptionsName}\"]";
        if (!any.TryRead<HttpProtocolOptionsV3>(out var options))
        {
            errors.Add(path, "These are not HTTP protocol options.");
            return new(UpstreamProtocol.Http1, null, null, null, path, null);
        }

        SupportedFields.Check(
            options, path, errors,
            "common_http_protocol_options", "upstream_http_protocol_options", "explicit_http_config", "use_downstream_protocol_config", "auto_config");
        var auto = AutoName(options.UpstreamHttpProtocolOptions, path + ".upstream_http_protocol_options", errors);
        CheckCommon(options.CommonHttpProtocolOptions, path + ".common_http_protocol_options", errors);
        var (chosen, http1, http2) = options.UpstreamProtocolOptionsCase switch
        {
            HttpProtocolOptionsV3.UpstreamProtocolOptionsOneofCase.ExplicitHttpConfig => options.ExplicitHttpConfig.ProtocolConfigCase switch
            {
                HttpProtocolOptionsV3.Types.ExplicitHttpConfig.ProtocolConfigOneofCase.Http2ProtocolOptions =>
                    (UpstreamProtocol.Http2, null, options.ExplicitHttpConfig.Http2ProtocolOptions),
                HttpProtocolOptionsV3.Types.ExplicitHttpConfig.ProtocolConfigOneofCase.HttpProtocolOptions =>
                    (UpstreamProtocol.Http1, options.ExplicitHttpConfig.HttpProtocolOptions, null),
                _ => (UpstreamProtocol.Http1, (CoreV3.Http1ProtocolOptions?)null, (CoreV3.Http2ProtocolOptions?)null),
            },
            HttpProtocolOptionsV3.UpstreamProtocolOptionsOneofCase.UseDownstreamProtocolConfig =>
                (UpstreamProtocol.Downstream, options.UseDownstreamProtocolConfig.HttpProtocolOptions,
                    options.UseDownstreamProtocolConfig.Http2ProtocolOptions),
            HttpProtocolOptionsV3.UpstreamProtocolOptionsOneofCase.AutoConfig =>
                (UpstreamProtocol.Auto, options.AutoConfig.HttpProtocolOptions, options.AutoConfig.Http2ProtocolOptions),
            _ => (UpstreamProtocol.Http1, null, null),
        };
        if (options.ExplicitHttpConfig?.Http3ProtocolOptions != null || options.AutoConfig?.Http3ProtocolOptions != null)
        {
            errors.Add(path, "HTTP/3 to upstreams is not supported.");
        }

        CheckHttp1(http1, path + ".http_protocol_options", errors);
        CheckHttp2(http2, path + ".http2_protocol_options", errors);
        return new(chosen, http1, http2, options.CommonHttpProtocolOptions, path + ".common_http_protocol_options", auto);
    }

    private static AutoNameModel? AutoName(CoreV3.UpstreamHttpProtocolOptions? options, string path, BindErrors errors)
    {
        SupportedFields.Check(options, path, errors, "auto_sni", "auto_san_validation", "override_auto_sni_header");
        if (options is null || !(options.AutoSni || options.AutoSanValidation))
        {
            return null;
        }

        if (options.OverrideAutoSniHeader.AsSpan().ContainsAnyExcept(HeaderNameCharacters))
        {
            errors.Add(path + ".override_auto_sni_header", "This is not a header's name.");
        }

        return new AutoNameModel(options.AutoSni, options.AutoSanValidation, ValueBinder.HeaderName(options.OverrideAutoSniHeader));
    }

    private static void CheckCommon(CoreV3.HttpProtocolOptions? options, string path, BindErrors errors) =>
        SupportedFields.Check(
            options, path, errors,
            "idle_timeout", "max_connection_duration", "max_headers_count", "max_response_headers_kb", "max_stream_duration", "max_requests_per_connection");

    private static void CheckHttp1(CoreV3.Http1ProtocolOptions? options, string path, BindErrors errors)
    {
        HeaderKeyFormatBinder.Bind(options?.HeaderKeyFormat, path + ".header_key_format", errors);
        SupportedFields.Check(
            options, path, errors,
            "allow_absolute_url", "accept_http_10", "default_host_for_http_10", "header_key_format", "enable_trailers", "use_balsa_parser",
            "override_stream_error_on_invalid_http_message");
    }

    private static void CheckHttp2(CoreV3.Http2ProtocolOptions? options, string path, BindErrors errors) =>
        SupportedFields.Check(
            ValueBinder.Http2(options, path, errors), path, errors,
            "hpack_table_size", "max_concurrent_streams", "initial_stream_window_size", "initial_connection_window_size", "allow_connect",
            "max_outbound_frames", "max_outbound_control_frames", "max_consecutive_inbound_frames_with_empty_payload", "max_inbound_priority_frames_per_stream",
            "max_inbound_window_update_frames_per_data_frame_sent", "override_stream_error_on_invalid_http_message", "connection_keepalive",
            "use_oghttp2_codec", "stream_error_on_invalid_http_messaging", "enable_huffman_encoding");

    private static TcpKeepAliveOptions? KeepAlive(ClusterV3.UpstreamConnectionOptions? options, BindErrors errors)
    {
        SupportedFields.Check(options, "upstream_connection_options", errors, "tcp_keepalive");
        return options?.TcpKeepalive is { } keepAlive
            ? new TcpKeepAliveOptions((int?)keepAlive.KeepaliveProbes, (int?)keepAlive.KeepaliveTime, (int?)keepAlive.KeepaliveInterval)
            : null;
    }

    private static IPEndPoint? Source(CoreV3.BindConfig? bind, BindErrors errors)
    {
        SupportedFields.Check(bind, "upstream_bind_config", errors, "source_address");
        if (bind?.SourceAddress == null)
        {
            return null;
        }

        if (!IPAddress.TryParse(bind.SourceAddress.Address, out var address) || bind.SourceAddress.PortValue > ushort.MaxValue)
        {
            errors.Add("upstream_bind_config.source_address", "The source address must be an IP address.");
            return null;
        }

        return new IPEndPoint(address, (int)bind.SourceAddress.PortValue);
    }

    private static LoadBalancingModel LoadBalancing(ClusterV3.Cluster message, BindErrors errors)
    {
        if (message.LbPolicy is LbPolicy.ClusterProvided or LbPolicy.LoadBalancingPolicyConfig)
        {
            errors.Add("lb_policy", $"The load balancing policy {message.LbPolicy} is not supported.");
        }

        SupportedFields.Check(message.RoundRobinLbConfig, "round_robin_lb_config", errors, "slow_start_config");
        SupportedFields.Check(message.LeastRequestLbConfig, "least_request_lb_config", errors, "choice_count", "active_request_bias", "slow_start_config");
        SupportedFields.Check(message.RingHashLbConfig, "ring_hash_lb_config", errors, "minimum_ring_size", "maximum_ring_size", "hash_function");
        SupportedFields.Check(
            message.CommonLbConfig, "common_lb_config", errors,
            "healthy_panic_threshold", "locality_weighted_lb_config", "zone_aware_lb_config", "update_merge_window", "consistent_hashing_lb_config",
            "close_connections_on_host_set_change");
        SupportedFields.Check(
            message.CommonLbConfig?.ConsistentHashingLbConfig, "common_lb_config.consistent_hashing_lb_config", errors, "use_hostname_for_hashing");
        var ring = message.RingHashLbConfig;
        if (ring?.HashFunction == ClusterV3.Cluster.Types.RingHashLbConfig.Types.HashFunction.MurmurHash2)
        {
            errors.Add("ring_hash_lb_config.hash_function", "Only XX_HASH is supported.");
        }

        var tableSize = message.MaglevLbConfig?.TableSize ?? 65537;
        if (tableSize is < 2 or > 5000011 || !IsPrime(tableSize))
        {
            errors.Add("maglev_lb_config.table_size", "The table size must be a prime of at most 5000011.");
            tableSize = 65537;
        }

        var bias = message.LeastRequestLbConfig?.ActiveRequestBias?.DefaultValue ?? 1;
        if (bias < 0)
        {
            errors.Add("least_request_lb_config.active_request_bias", "The bias cannot be negative.");
        }

        return new LoadBalancingModel
        {
            Policy = message.LbPolicy,
            ChoiceCount = Math.Max(2, message.LeastRequestLbConfig?.ChoiceCount ?? 2),
            ActiveRequestBias = bias,
            MinimumRingSize = Math.Min(ring?.MinimumRingSize ?? 1024, 8 * 1024 * 1024),
            MaximumRingSize = Math.Min(ring?.MaximumRingSize ?? 8 * 1024 * 1024, 8 * 1024 * 1024),
            MaglevTableSize = (uint)tableSize,
            HashByHostname = message.CommonLbConfig?.ConsistentHashingLbConfig?.UseHostnameForHashing ?? false,
            PanicThreshold = Math.Floor(Math.Min(100, message.CommonLbConfig?.HealthyPanicThreshold?.Value ?? 50)),
            SlowStart = message.LbPolicy switch
            {
                LbPolicy.RoundRobin => SlowStart(message.RoundRobinLbConfig?.SlowStartConfig, "round_robin_lb_config.slow_start_config", errors),
                LbPolicy.LeastRequest => SlowStart(message.LeastRequestLbConfig?.SlowStartConfig, "least_request_lb_config.slow_start_config", errors),
                _ => null,
            },
            LocalityWeighted = message.CommonLbConfig?.LocalityWeightedLbConfig != null,
            CloseConnectionsOnHostSetChange = message.CommonLbConfig?.CloseConnectionsOnHostSetChange ?? false,
        };
    }

    private static SlowStartModel? SlowStart(ClusterV3.Cluster.Types.SlowStartConfig? message, string path, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "slow_start_window", "aggression", "min_weight_percent");
        if (message is null)
        {
            return null;
        }

        var window = Duration(message.SlowStartWindow, path + ".slow_start_window", errors, positive: false);
        var minimum = message.MinWeightPercent?.Value ?? 10;
        if (minimum is not (>= 0 and <= 100))
        {
            errors.Add(path + ".min_weight_percent", "The least weight is 0 to 100 percent.");
        }

        // Envoy takes what it cannot use for 1, and says so.
        var aggression = message.Aggression?.DefaultValue ?? 1;
        if (aggression is not > 0)
        {
            errors.AddPartial(path + ".aggression", "The aggression must be above zero; 1 is used.");
            aggression = 1;
        }

        return window == TimeSpan.Zero ? null : new SlowStartModel(window, aggression, minimum / 100);
    }

    private static bool IsPrime(ulong number)
    {
        for (ulong i = 2; i * i <= number; i++)
        {
            if (number % i == 0)
            {
                return false;
            }
        }

        return number > 1;
    }

    private static CircuitBreakerModel[] CircuitBreakers(ClusterV3.CircuitBreakers? message, BindErrors errors)
    {
        CircuitBreakerModel[] models = [new(), new()];
        SupportedFields.Check(message, "circuit_breakers", errors, "thresholds");
        for (var i = 0; i < (message?.Thresholds.Count ?? 0); i++)
        {
            var thresholds = message!.Thresholds[i];
            var path = BindErrors.Path("circuit_breakers", "thresholds", i);
            SupportedFields.Check(
                thresholds, path, errors, "priority", "max_connections", "max_pending_requests", "max_requests", "max_retries", "retry_budget",
                "track_remaining");
            if ((uint)thresholds.Priority >= models.Length)
            {
                errors.Add(path + ".priority", "No such priority.");
                continue;
            }

            models[(int)thresholds.Priority] = new CircuitBreakerModel
            {
                MaxConnections = thresholds.MaxConnections ?? 1024,
                MaxPendingRequests = thresholds.MaxPendingRequests ?? 1024,
                MaxRequests = thresholds.MaxRequests ?? 1024,
                MaxRetries = thresholds.MaxRetries ?? 3,
                RetryBudgetPercent = thresholds.RetryBudget == null ? null : thresholds.RetryBudget.BudgetPercent?.Value ?? 20,
                MinRetryConcurrency = thresholds.RetryBudget?.MinRetryConcurrency ?? 3,
            };
        }

        return models;
    }

    private static DnsModel Dns(ClusterV3.Cluster message, BindErrors errors)
    {
        var refresh = message.DnsRefreshRate == null ? TimeSpan.FromSeconds(5) : Duration(message.DnsRefreshRate, "dns_refresh_rate", errors, positive: true);
        (TimeSpan, TimeSpan)? failure = null;
        if (message.DnsFailureRefreshRate is { } rate)
        {
            var lower = Duration(rate.BaseInterval, "dns_failure_refresh_rate.base_interval", errors, positive: true);
            var upper = rate.MaxInterval == null ? lower * 10 : Duration(rate.MaxInterval, "dns_failure_refresh_rate.max_interval", errors, positive: true);
            failure = (lower, upper < lower ? lower : upper);
        }

        return new DnsModel { Family = message.DnsLookupFamily, RefreshRate = refresh, FailureRefreshRate = failure, RespectTtl = message.RespectDnsTtl };
    }

    /// <summary>A duration in the range that Envoy allows; an error otherwise.</summary>
    internal static TimeSpan Duration(Duration? value, string path, BindErrors errors, bool positive)
    {
        if (value == null)
        {
            if (positive)
            {
                errors.Add(path, "A duration is required.");
            }

            return TimeSpan.Zero;
        }

        if (value.Seconds < 0 || value.Nanos < 0 || (positive && value is { Seconds: 0, Nanos: 0 }))
        {
            errors.Add(path, positive ? "The duration must be above zero." : "The duration cannot be negative.");
            return TimeSpan.FromSeconds(1);
        }

        return value.Seconds >= MaxDuration.TotalSeconds ? MaxDuration : TimeSpan.FromTicks((value.Seconds * TimeSpan.TicksPerSecond) + (value.Nanos / 100));
    }

    /// <summary>A duration of which unset and zero mean none.</summary>
    internal static TimeSpan? Optional(Duration? value, string path, BindErrors errors)
    {
        var duration = Duration(value, path, errors, positive: false);
        return duration == TimeSpan.Zero ? null : duration;
    }

    private sealed record HttpOptionsParts(
        UpstreamProtocol Protocol,
        CoreV3.Http1ProtocolOptions? Http1,
        CoreV3.Http2ProtocolOptions? Http2,
        CoreV3.HttpProtocolOptions? Common,
        string CommonPath,
        AutoNameModel? AutoName);
}
