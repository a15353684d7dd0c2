using System.Text;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the ext_authz filter.</summary>
internal sealed class ExtAuthzBinder(UpstreamCalls calls, MetricsRegistry metrics) : HttpFilterBinder
{
    // What is held in memory of one request, whatever the message says.
    private const uint MostBodyBytes = 64 * 1024 * 1024;

    /// <inheritdoc/>
    public override string ConfigType => ExtAuthz.Descriptor.FullName;

    /// <inheritdoc/>
    public override string RouteConfigType => ExtAuthzPerRoute.Descriptor.FullName;

    /// <inheritdoc/>
    public override HttpFilter? Bind(string name, int index, Any config, string path, BindErrors errors)
    {
        if (Unpack<ExtAuthz>(config, path, errors) is not { } message)
        {
            return null;
        }

        SupportedFields.Check(
            message, path, errors, "grpc_service", "http_service", "transport_api_version", "failure_mode_allow", "failure_mode_allow_header_add",
            "with_request_body", "clear_route_cache", "status_on_error", "validate_mutations", "filter_enabled", "deny_at_disable", "include_peer_certificate",
            "stat_prefix", "allowed_headers", "disallowed_headers", "include_tls_session", "charge_cluster_response_stats", "encode_raw_headers",
            "max_denied_response_body_bytes", "enable_dynamic_metadata_ingestion", "enforce_response_header_limits");
        var before = errors.Count;
        var model = Model(message, path, errors);
        return errors.Count > before
            ? null : new ExtAuthzFilter(model, calls, new ExtAuthzStatistics(metrics, message.StatPrefix)) { Name = name, Index = index };
    }

    /// <inheritdoc/>
    public override object? BindRoute(Any config, string path, BindErrors errors)
    {
        if (Unpack<ExtAuthzPerRoute>(config, path, errors) is not { } message)
        {
            return null;
        }

        if (message.OverrideCase != ExtAuthzPerRoute.OverrideOneofCase.CheckSettings)
        {
            return message.Disabled ? DisabledFilterConfig.Instance : new ExtAuthzRouteConfig();
        }

        var settings = message.CheckSettings;
        var settingsPath = BindErrors.Path(path, "check_settings");
        SupportedFields.Check(settings, settingsPath, errors, "context_extensions", "disable_request_body_buffering", "with_request_body");
        return new ExtAuthzRouteConfig
        {
            ContextExtensions = new Dictionary<string, string>(settings.ContextExtensions, StringComparer.Ordinal),
            DisableBody = settings.DisableRequestBodyBuffering,
            Body = Body(settings.WithRequestBody, BindErrors.Path(settingsPath, "with_request_body"), errors),
        };
    }

    private static ExtAuthzModel Model(ExtAuthz message, string path, BindErrors errors)
    {
        var http = message.HttpService;
        if (message.ServicesCase == ExtAuthz.ServicesOneofCase.None)
        {
            errors.Add(path, "The filter needs a grpc_service or an http_service.");
        }

        var allowed = message.AllowedHeaders ?? http?.AuthorizationRequest?.AllowedHeaders;
        return new ExtAuthzModel
        {
            Grpc = message.GrpcService is { } grpc ? Grpc(grpc, BindErrors.Path(path, "grpc_service"), errors) : null,
            Http = http is null ? null : Http(http, BindErrors.Path(path, "http_service"), errors),
            FailureModeAllow = message.FailureModeAllow,
            FailureModeAllowHeader = message.FailureModeAllowHeaderAdd,
            Body = Body(message.WithRequestBody, BindErrors.Path(path, "with_request_body"), errors),
            ClearRouteCache = message.ClearRouteCache,
            StatusOnError = Status(message.StatusOnError, 403, BindErrors.Path(path, "status_on_error"), errors),
            Enabled = ValueBinder.Fraction(message.FilterEnabled),
            DenyWhenDisabled = message.DenyAtDisable?.DefaultValue ?? false,
            IncludePeerCertificate = message.IncludePeerCertificate,
            IncludeTlsSession = message.IncludeTlsSession,
            StatPrefix = message.StatPrefix,
            AllowedHeaders = Names(allowed, BindErrors.Path(path, "allowed_headers"), errors),
            DisallowedHeaders = Names(message.DisallowedHeaders, BindErrors.Path(path, "disallowed_headers"), errors),
            ChargeClusterResponseStats = message.ChargeClusterResponseStats ?? true,
            EncodeRawHeaders = message.EncodeRawHeaders,
            TakesMetadata = message.EnableDynamicMetadataIngestion ?? true,
            MaxDeniedBodyBytes = message.MaxDeniedResponseBodyBytes is > 0 and <= 1024 * 1024 ? (int)message.MaxDeniedResponseBodyBytes : 1024 * 1024,
        };
    }

    /// <summary>A status; the default where there is none.</summary>
    internal static int Status(Envoy.Type.V3.HttpStatus? message, int otherwise, string path, BindErrors errors)
    {
        var status = (int)(message?.Code ?? 0);
        if (status == 0)
        {
            return otherwise;
        }

        if (status is < 200 or > 599)
        {
            errors.Add(path, "This is not the status of an answer.");
        }

        return status;
    }

    // Envoy's own default for these calls.
    private static GrpcServiceModel? Grpc(CoreV3.GrpcService message, string path, BindErrors errors) =>
        GrpcServiceBinder.Bind(message, path, errors) is not { } service ? null : service.Timeout > TimeSpan.Zero ? service : new GrpcServiceModel
        {
            Cluster = service.Cluster,
            Authority = service.Authority,
            Timeout = TimeSpan.FromMilliseconds(200),
            MaxReceiveMessageBytes = service.MaxReceiveMessageBytes,
            Metadata = service.Metadata,
            SkipEnvoyHeaders = service.SkipEnvoyHeaders,
        };

    private static ExtAuthzHttpModel? Http(HttpService message, string path, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "server_uri", "path_prefix", "authorization_request", "authorization_response");
        var response = message.AuthorizationResponse;
        SupportedFields.Check(
            response, BindErrors.Path(path, "authorization_response"), errors, "allowed_upstream_headers", "allowed_upstream_headers_to_append",
            "allowed_client_headers", "allowed_client_headers_on_success", "dynamic_metadata_from_headers");
        if (message.ServerUri?.Cluster is not { Length: > 0 } cluster)
        {
            errors.Add(BindErrors.Path(path, "server_uri.cluster"), "A cluster is needed.");
            return null;
        }

        if (message.PathPrefix.Length > 0 && (message.PathPrefix[0] != '/' || message.PathPrefix.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0))
        {
            errors.Add(BindErrors.Path(path, "path_prefix"), "The prefix must begin with a slash.");
        }

        var added = message.AuthorizationRequest?.HeadersToAdd.Select(header => new CoreV3.HeaderValueOption
        {
            Header = header,
            AppendAction = CoreV3.HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd,
        }).ToList() ?? [];
        return new ExtAuthzHttpModel
        {
            Cluster = cluster,
            Timeout = ValueBinder.Duration(message.ServerUri.Timeout, BindErrors.Path(path, "server_uri.timeout"), errors) ?? TimeSpan.Zero,
            PathPrefix = Encoding.ASCII.GetBytes(message.PathPrefix),
            RequestHeaders = ValueBinder.Mutations(added, [], BindErrors.Path(path, "authorization_request"), "headers_to_add", "", errors),
            UpstreamHeaders = Names(response?.AllowedUpstreamHeaders, BindErrors.Path(path, "authorization_response.allowed_upstream_headers"), errors),
            UpstreamHeadersToAppend = Names(
                response?.AllowedUpstreamHeadersToAppend, BindErrors.Path(path, "authorization_response.allowed_upstream_headers_to_append"), errors),
            ClientHeaders = Names(response?.AllowedClientHeaders, BindErrors.Path(path, "authorization_response.allowed_client_headers"), errors),
            ClientHeadersOnSuccess = Names(
                response?.AllowedClientHeadersOnSuccess, BindErrors.Path(path, "authorization_response.allowed_client_headers_on_success"), errors),
            MetadataHeaders = Names(
                response?.DynamicMetadataFromHeaders, BindErrors.Path(path, "authorization_response.dynamic_metadata_from_headers"), errors),
        };
    }

    private static ExtAuthzBodyModel? Body(BufferSettings? message, string path, BindErrors errors)
    {
        if (message is null)
        {
            return null;
        }

        if (message.MaxRequestBytes == 0)
        {
            errors.Add(BindErrors.Path(path, "max_request_bytes"), "The limit must be above 0.");
        }

        return new ExtAuthzBodyModel((int)Math.Min(message.MaxRequestBytes, MostBodyBytes), message.AllowPartialMessage, message.PackAsBytes);
    }

    private static HeaderNameMatcher? Names(MatcherV3.ListStringMatcher? message, string path, BindErrors errors)
    {
        if (message is null || message.Patterns.Count == 0)
        {
            return null;
        }

        var patterns = new List<StringMatcher>(message.Patterns.Count);
        for (var i = 0; i < message.Patterns.Count; i++)
        {
            if (ValueBinder.String(message.Patterns[i], BindErrors.Path(path, "patterns", i), errors) is { } pattern)
            {
                patterns.Add(pattern);
            }
        }

        return new HeaderNameMatcher(patterns);
    }
}
