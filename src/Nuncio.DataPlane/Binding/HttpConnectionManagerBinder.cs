using System.Net;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using RouterV3 = Envoy.Extensions.Filters.Http.Router.V3;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds connection managers.</summary>
public sealed class HttpConnectionManagerBinder
{
    private const string DefaultServerName = "envoy";

    private readonly HttpFilterCatalog _filters;
    private readonly RouteConfigurationBinder _routes;
    private readonly AccessLogBinder _accessLogs;
    private readonly TracingBinder? _tracing;

    /// <summary>With what it shares with others.</summary>
    /// <param name="filters">The HTTP filters that are known.</param>
    /// <param name="routes">Binds inline routes.</param>
    /// <param name="accessLogs">Binds access logs.</param>
    /// <param name="tracing">Binds tracing; null where there is none.</param>
    internal HttpConnectionManagerBinder(HttpFilterCatalog filters, RouteConfigurationBinder routes, AccessLogBinder accessLogs, TracingBinder? tracing)
    {
        _tracing = tracing;
        _filters = filters;
        _routes = routes;
        _accessLogs = accessLogs;
    }

    /// <summary>Without services of its own.</summary>
    public HttpConnectionManagerBinder(HttpFilterCatalog filters, RouteConfigurationBinder routes, AccessLogFiles files)
        : this(filters, routes, new AccessLogBinder(files, null), tracing: null)
    {
    }

    /// <summary>The node's cluster, for add_user_agent; empty for none.</summary>
    public string NodeCluster { get; init; } = "";

    /// <summary>The model; null where there are errors.</summary>
    public HttpConnectionManagerModel? Bind(HcmV3.HttpConnectionManager message, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(errors);
        var found = new BindErrors();
        SupportedFields.Check(
            message, "", found, "codec_type", "stat_prefix", "rds", "route_config", "http_filters", "add_user_agent", "tracing", "common_http_protocol_options",
            "http1_safe_max_connection_duration", "http_protocol_options", "http2_protocol_options", "http3_protocol_options", "server_name",
            "server_header_transformation", "scheme_header_transformation", "max_request_headers_kb", "stream_idle_timeout", "stream_flush_timeout",
            "request_timeout", "request_headers_timeout", "drain_timeout", "delayed_close_timeout", "access_log", "access_log_flush_interval",
            "flush_access_log_on_new_request", "access_log_options", "use_remote_address", "xff_num_trusted_hops", "internal_address_config", "skip_xff_append",
            "via", "generate_request_id", "preserve_external_request_id", "always_set_request_id_in_response", "forward_client_cert_details",
            "set_current_client_cert_details", "proxy_100_continue", "upgrade_configs", "normalize_path", "merge_slashes", "path_with_escaped_slashes_action",
            "request_id_extension", "local_reply_config", "strip_matching_host_port", "strip_any_host_port", "stream_error_on_invalid_http_message",
            "strip_trailing_host_dot", "append_x_forwarded_port", "append_local_overload", "forward_proto_config");
        if (message.StatPrefix.Length == 0)
        {
            found.Add("stat_prefix", "A connection manager needs a stat_prefix.");
        }

        if (message.RouteSpecifierCase == HcmV3.HttpConnectionManager.RouteSpecifierOneofCase.None)
        {
            found.Add("route_specifier", "A connection manager needs routes.");
        }

        HeaderKeyFormatBinder.Bind(message.HttpProtocolOptions?.HeaderKeyFormat, "http_protocol_options.header_key_format", found);
        var model = BindValid(message, found);
        errors.AddAll(path, found);
        return found.Any ? null : model;
    }

    /// <summary>How a request's path is cleaned before it is routed.</summary>
    public static PathNormalizationModel BindPathNormalization(HcmV3.HttpConnectionManager message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return new PathNormalizationModel
        {
            Normalize = message.NormalizePath ?? false,
            MergeSlashes = message.MergeSlashes,
            EscapedSlashes = message.PathWithEscapedSlashesAction,
        };
    }

    /// <summary>How a request's host is cleaned before its virtual host is chosen.</summary>
    public static HostNormalizationModel BindHostNormalization(HcmV3.HttpConnectionManager message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return new HostNormalizationModel
        {
            StripMatchingPort = message.StripMatchingHostPort,
            StripAnyPort = message.StripAnyHostPort,
            StripTrailingDot = message.StripTrailingHostDot,
        };
    }

    private HttpConnectionManagerModel BindValid(HcmV3.HttpConnectionManager message, BindErrors found)
    {
        var common = message.CommonHttpProtocolOptions;
        var filters = BindFilters(message.HttpFilters, found);
        return new HttpConnectionManagerModel
        {
            StatPrefix = message.StatPrefix,
            Codec = message.CodecType,
            RouteConfigurationName = message.Rds?.RouteConfigName,
            RouteConfiguration = message.RouteConfig is { } routes ? _routes.Bind(routes, "route_config", found) : null,
            Filters = filters,
            SuppressEnvoyHeaders = SuppressesEnvoyHeaders(message.HttpFilters),
            ServerName = Encoding.UTF8.GetBytes(message.ServerName.Length > 0 ? message.ServerName : DefaultServerName),
            ServerHeaderTransformation = message.ServerHeaderTransformation,
            Via = Encoding.UTF8.GetBytes(message.Via),
            UserAgent = message.AddUserAgent == true && NodeCluster.Length > 0 ? Encoding.UTF8.GetBytes(NodeCluster) : null,
            ClientAddress = BindClientAddress(message, found),
            PathNormalization = BindPathNormalization(message),
            HostNormalization = BindHostNormalization(message),
            ForwardClientCert = new ForwardClientCertModel
            {
                Details = message.ForwardClientCertDetails,
                Subject = message.SetCurrentClientCertDetails?.Subject ?? false,
                Cert = message.SetCurrentClientCertDetails?.Cert ?? false,
                Chain = message.SetCurrentClientCertDetails?.Chain ?? false,
                Dns = message.SetCurrentClientCertDetails?.Dns ?? false,
                Uri = message.SetCurrentClientCertDetails?.Uri ?? false,
            },
            GenerateRequestId = message.GenerateRequestId ?? true,
            PreserveExternalRequestId = message.PreserveExternalRequestId,
            AlwaysSetRequestIdInResponse = message.AlwaysSetRequestIdInResponse,
            Proxy100Continue = message.Proxy100Continue,
            SchemeOverwrite = message.SchemeHeaderTransformation?.SchemeToOverwrite is { Length: > 0 } scheme ? Encoding.ASCII.GetBytes(scheme) : null,
            Upgrades = BindUpgrades(message.UpgradeConfigs, found),
            UnderscoresAction = common?.HeadersWithUnderscoresAction ?? default,
            StreamIdleTimeout = ValueBinder.Duration(message.StreamIdleTimeout, "stream_idle_timeout", found) ?? TimeSpan.FromMinutes(5),
            RequestTimeout = ValueBinder.Duration(message.RequestTimeout, "request_timeout", found) ?? TimeSpan.Zero,
            RequestHeadersTimeout = ValueBinder.Duration(message.RequestHeadersTimeout, "request_headers_timeout", found) ?? TimeSpan.Zero,
            MaxStreamDuration = ValueBinder.Duration(common?.MaxStreamDuration, "common_http_protocol_options.max_stream_duration", found) ?? TimeSpan.Zero,
            ConnectionIdleTimeout = ValueBinder.Duration(common?.IdleTimeout, "common_http_protocol_options.idle_timeout", found) ?? TimeSpan.FromHours(1),
            MaxConnectionDuration = ValueBinder.Duration(common?.MaxConnectionDuration, "common_http_protocol_options.max_connection_duration", found)
                ?? TimeSpan.Zero,
            DrainTimeout = ValueBinder.Duration(message.DrainTimeout, "drain_timeout", found) ?? TimeSpan.FromSeconds(5),
            DelayedCloseTimeout = ValueBinder.Duration(message.DelayedCloseTimeout, "delayed_close_timeout", found) ?? TimeSpan.FromSeconds(1),
            MaxRequestHeaderBytes = (int)Math.Min(message.MaxRequestHeadersKb ?? 60, 8192) * 1024,
            MaxRequestHeaderCount = (int)Math.Min(common?.MaxHeadersCount ?? 100, int.MaxValue),
            MaxRequestsPerConnection = (int)Math.Min(common?.MaxRequestsPerConnection ?? 0, int.MaxValue),
            Http1Options = message.HttpProtocolOptions,
            Http2Options = ValueBinder.Http2(message.Http2ProtocolOptions, "http2_protocol_options", found),
            Http3Options = Http3OptionsBinder.Bind(message.Http3ProtocolOptions, "http3_protocol_options", found),
            StreamErrorOnInvalidHttpMessage = message.StreamErrorOnInvalidHttpMessage ?? false,
            LocalReply = LocalReplyBinder.Bind(message.LocalReplyConfig, "local_reply_config", found),
            AccessLogs = _accessLogs.Bind(message.AccessLog, "", found),
            Tracing = _tracing?.Bind(message.Tracing, StartsChildSpans(message.HttpFilters), "tracing", found),
            Message = message,
        };
    }

    private static List<UpgradeModel> BindUpgrades(IReadOnlyList<HcmV3.HttpConnectionManager.Types.UpgradeConfig> messages, BindErrors errors)
    {
        var upgrades = new List<UpgradeModel>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var path = BindErrors.Path("", "upgrade_configs", i);
            SupportedFields.Check(message, path, errors, "upgrade_type", "enabled");
            if (upgrades.Exists(other => string.Equals(other.Type, message.UpgradeType, StringComparison.OrdinalIgnoreCase)))
            {
                errors.Add(BindErrors.Path(path, "upgrade_type"), "Each upgrade must have a type of its own.");
            }

            upgrades.Add(new UpgradeModel(message.UpgradeType, message.Enabled ?? true));
        }

        return upgrades;
    }

    private List<HttpFilter> BindFilters(IReadOnlyList<HcmV3.HttpFilter> messages, BindErrors errors)
    {
        var filters = new List<HttpFilter>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            if (!messages[i].Disabled && _filters.Bind(messages[i], filters.Count, BindErrors.Path("", "http_filters", i), errors) is { } filter)
            {
                filters.Add(filter);
            }
        }

        if (messages.Count == 0 || !IsRouter(messages[^1]))
        {
            errors.Add("http_filters", "The last HTTP filter must be the router.");
        }

        return filters;
    }

    private static bool IsRouter(HcmV3.HttpFilter message) => Any.GetTypeName(message.TypedConfig?.TypeUrl ?? "") == RouterV3.Router.Descriptor.FullName;

    private static bool SuppressesEnvoyHeaders(IReadOnlyList<HcmV3.HttpFilter> messages) =>
        messages.Count > 0 && IsRouter(messages[^1]) && messages[^1].TypedConfig.TryRead<RouterV3.Router>(out var router) && router.SuppressEnvoyHeaders;

    private static bool StartsChildSpans(IReadOnlyList<HcmV3.HttpFilter> messages) =>
        messages.Count > 0 && IsRouter(messages[^1]) && messages[^1].TypedConfig.TryRead<RouterV3.Router>(out var router) && router.StartChildSpan;

    private static ClientAddressModel BindClientAddress(HcmV3.HttpConnectionManager message, BindErrors errors)
    {
        var networks = new List<IPNetwork>();
        var ranges = message.InternalAddressConfig?.CidrRanges ?? [];
        for (var i = 0; i < ranges.Count; i++)
        {
            if (IPAddress.TryParse(ranges[i].AddressPrefix, out var address))
            {
                networks.Add(CidrBinder.Network(address, ranges[i].PrefixLen));
            }
            else
            {
                errors.Add(BindErrors.Path("internal_address_config", "cidr_ranges", i), "This is not an address.");
            }
        }

        return new ClientAddressModel
        {
            UseRemoteAddress = message.UseRemoteAddress ?? false,
            TrustedHops = (int)Math.Min(message.XffNumTrustedHops, 1000),
            SkipXffAppend = message.SkipXffAppend,
            AppendXForwardedPort = message.AppendXForwardedPort,
            HttpsPorts = [.. (message.ForwardProtoConfig?.HttpsDestinationPorts ?? []).Select(port => (int)port)],
            HttpPorts = [.. (message.ForwardProtoConfig?.HttpDestinationPorts ?? []).Select(port => (int)port)],
            InternalNetworks = networks,
        };
    }
}
