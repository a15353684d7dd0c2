using System.Text;
using Envoy.Extensions.Retry.Host.PreviousHosts.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds one route. Its model depends on the message alone.</summary>
internal sealed class RouteBinder(HttpFilterCatalog filters)
{
    private const int MaxDirectResponseBytes = 4096;

    /// <summary>The model, with errors relative to the route; null where there are any.</summary>
    public (RouteModel? Model, BindErrors Errors) Bind(RouteV3.Route message, int maxDirectResponseBytes)
    {
        var errors = new BindErrors();
        var match = BindMatch(message.Match, "match", errors);
        var action = BindAction(message, maxDirectResponseBytes, errors);
        var model = match is null || action is null || errors.Any ? null : new RouteModel
        {
            Name = message.Name,
            Match = match,
            Action = action,
            RequestHeaders = ValueBinder.Mutations(
                message.RequestHeadersToAdd, message.RequestHeadersToRemove, "", "request_headers_to_add", "request_headers_to_remove", errors),
            ResponseHeaders = ValueBinder.Mutations(
                message.ResponseHeadersToAdd, message.ResponseHeadersToRemove, "", "response_headers_to_add", "response_headers_to_remove", errors),
            FilterConfigs = filters.BindRoute(message.TypedPerFilterConfig, "", errors),
            DecoratorOperation = message.Decorator is { } decorator && decorator.Propagate != false && decorator.Operation.Length > 0
                ? decorator.Operation : null,
            RequestBodyBufferLimit = (long?)message.RequestBodyBufferLimit ?? message.PerRequestBufferLimitBytes,
            StatPrefix = message.StatPrefix,
            Message = message,
        };
        return errors.Any ? (null, errors) : (model, errors);
    }

    /// <summary>The model of a route that cannot be bound: it answers 500. Null where not even its condition can be bound.</summary>
    public RouteModel? BindRefused(RouteV3.Route message)
    {
        var errors = new BindErrors();
        var match = BindMatch(message.Match, "match", errors);
        var action = BindDirectResponse(new RouteV3.DirectResponseAction { Status = 500 }, "", MaxDirectResponseBytes, errors);
        return match is null || action is null || errors.Any ? null : new RouteModel
        {
            Name = message.Name,
            Match = match,
            Action = action,
            RequestHeaders = HeaderMutationsModel.None,
            ResponseHeaders = HeaderMutationsModel.None,
            FilterConfigs = FilterConfigMap.Empty,
            Message = message,
        };
    }

    private static RouteMatchModel? BindMatch(RouteV3.RouteMatch? message, string path, BindErrors errors)
    {
        if (message is null)
        {
            errors.Add(path, "A route needs a match.");
            return null;
        }

        var kind = PathMatchKind.Prefix;
        var literal = "";
        RegexPattern? regex = null;
        switch (message.PathSpecifierCase)
        {
            case RouteV3.RouteMatch.PathSpecifierOneofCase.Prefix:
                literal = message.Prefix;
                break;
            case RouteV3.RouteMatch.PathSpecifierOneofCase.Path:
                (kind, literal) = (PathMatchKind.Exact, message.Path);
                break;
            case RouteV3.RouteMatch.PathSpecifierOneofCase.PathSeparatedPrefix:
                (kind, literal) = (PathMatchKind.PathSeparatedPrefix, message.PathSeparatedPrefix);
                break;
            case RouteV3.RouteMatch.PathSpecifierOneofCase.SafeRegex:
                kind = PathMatchKind.Regex;
                regex = ValueBinder.Regex(message.SafeRegex, BindErrors.Path(path, "safe_regex"), errors);
                break;
            case RouteV3.RouteMatch.PathSpecifierOneofCase.ConnectMatcher:
                kind = PathMatchKind.Connect;
                break;
            default:
                errors.Add(path, message.PathSpecifierCase == RouteV3.RouteMatch.PathSpecifierOneofCase.PathMatchPolicy
                    ? "path_match_policy is not supported by the embedded proxy." : "A match needs a path specifier.");
                return null;
        }

        var queries = new List<QueryParameterMatcher>(message.QueryParameters.Count);
        for (var i = 0; i < message.QueryParameters.Count; i++)
        {
            if (BindQueryParameter(message.QueryParameters[i], BindErrors.Path(path, "query_parameters", i), errors) is { } query)
            {
                queries.Add(query);
            }
        }

        var cookies = new List<CookieMatcher>(message.Cookies.Count);
        for (var i = 0; i < message.Cookies.Count; i++)
        {
            var cookie = message.Cookies[i];
            if (ValueBinder.String(cookie.StringMatch, BindErrors.Path(BindErrors.Path(path, "cookies", i), "string_match"), errors) is { } value)
            {
                cookies.Add(new CookieMatcher(cookie.Name, value, cookie.InvertMatch));
            }
        }

        return new RouteMatchModel
        {
            Kind = kind,
            Literal = Encoding.UTF8.GetBytes(literal),
            Regex = regex,
            CaseSensitive = message.CaseSensitive ?? true,
            Fraction = ValueBinder.Fraction(message.RuntimeFraction),
            Headers = ValueBinder.Headers(message.Headers, path, "headers", errors),
            QueryParameters = [.. queries],
            Cookies = [.. cookies],
            Grpc = message.Grpc is not null,
            CertificatePresented = message.TlsContext?.Presented,
            CertificateValidated = message.TlsContext?.Validated,
        };
    }

    internal static QueryParameterMatcher? BindQueryParameter(RouteV3.QueryParameterMatcher message, string path, BindErrors errors)
    {
        if (message.Name.Length == 0)
        {
            errors.Add(BindErrors.Path(path, "name"), "A query parameter matcher needs a name.");
            return null;
        }

        if (message.QueryParameterMatchSpecifierCase != RouteV3.QueryParameterMatcher.QueryParameterMatchSpecifierOneofCase.StringMatch)
        {
            return new QueryParameterMatcher(message.Name, null);
        }

        return ValueBinder.String(message.StringMatch, BindErrors.Path(path, "string_match"), errors) is { } value
            ? new QueryParameterMatcher(message.Name, value) : null;
    }

    private RouteActionModel? BindAction(RouteV3.Route message, int maxDirectResponseBytes, BindErrors errors)
    {
        switch (message.ActionCase)
        {
            case RouteV3.Route.ActionOneofCase.Route_:
                return BindForward(message.Route_, "route", errors);
            case RouteV3.Route.ActionOneofCase.Redirect:
                return BindRedirect(message.Redirect, "redirect", errors);
            case RouteV3.Route.ActionOneofCase.DirectResponse:
                return BindDirectResponse(message.DirectResponse, "direct_response", maxDirectResponseBytes, errors);
            case RouteV3.Route.ActionOneofCase.NonForwardingAction:
                return new NonForwardingModel();
            default:
                errors.Add("action", "A route needs an action.");
                return null;
        }
    }

    private static DirectResponseModel? BindDirectResponse(RouteV3.DirectResponseAction message, string path, int maxBytes, BindErrors errors)
    {
        if (message.Status is < 200 or > 599)
        {
            errors.Add(BindErrors.Path(path, "status"), "The status must be from 200 to 599.");
            return null;
        }

        var body = message.Body is null ? [] : ValueBinder.Data(message.Body, BindErrors.Path(path, "body"), errors);
        var limit = maxBytes > 0 ? maxBytes : MaxDirectResponseBytes;
        if (body?.Length > limit)
        {
            errors.Add(BindErrors.Path(path, "body"), $"The body has {body.Length} bytes, the limit is {limit}.");
        }

        return new DirectResponseModel
        {
            Status = (int)message.Status,
            Body = body ?? [],
            BodyFormat = ValueBinder.Format(message.BodyFormat, BindErrors.Path(path, "body_format"), errors),
        };
    }

    private static RedirectModel BindRedirect(RouteV3.RedirectAction message, string path, BindErrors errors)
    {
        PathRewriteModel? rewrite = null;
        byte[]? wholePath = null;
        switch (message.PathRewriteSpecifierCase)
        {
            case RouteV3.RedirectAction.PathRewriteSpecifierOneofCase.PathRedirect when message.PathRedirect.Length > 0:
                wholePath = Encoding.UTF8.GetBytes(message.PathRedirect);
                break;
            case RouteV3.RedirectAction.PathRewriteSpecifierOneofCase.PrefixRewrite when message.PrefixRewrite.Length > 0:
                rewrite = new PathRewriteModel { Prefix = Encoding.UTF8.GetBytes(message.PrefixRewrite) };
                break;
            case RouteV3.RedirectAction.PathRewriteSpecifierOneofCase.RegexRewrite:
                rewrite = new PathRewriteModel { Regex = ValueBinder.Rewrite(message.RegexRewrite, BindErrors.Path(path, "regex_rewrite"), errors) };
                break;
        }

        if (!ValueBinder.IsHeaderValue(message.HostRedirect) || !ValueBinder.IsHeaderValue(message.PathRedirect)
            || !ValueBinder.IsHeaderValue(message.PrefixRewrite)
            || !ValueBinder.IsHeaderValue(message.SchemeRedirect))
        {
            errors.Add(path, "A redirect cannot have a line break or a NUL.");
        }

        return new RedirectModel
        {
            Status = message.ResponseCode switch
            {
                RouteV3.RedirectAction.Types.RedirectResponseCode.Found => 302,
                RouteV3.RedirectAction.Types.RedirectResponseCode.SeeOther => 303,
                RouteV3.RedirectAction.Types.RedirectResponseCode.TemporaryRedirect => 307,
                RouteV3.RedirectAction.Types.RedirectResponseCode.PermanentRedirect => 308,
                _ => 301,
            },
            Scheme = message.HttpsRedirect ? "https"u8.ToArray() : message.SchemeRedirect.Length > 0 ? Encoding.ASCII.GetBytes(message.SchemeRedirect) : null,
            Host = message.HostRedirect.Length > 0 ? Encoding.UTF8.GetBytes(message.HostRedirect) : null,
            Port = message.PortRedirect > 0 ? Encoding.ASCII.GetBytes($":{message.PortRedirect}") : [],
            Path = wholePath,
            PathRewrite = rewrite,
            StripQuery = message.StripQuery,
        };
    }

    private ForwardModel? BindForward(RouteV3.RouteAction message, string path, BindErrors errors)
    {
        SupportedFields.Check(
            message, path, errors, "cluster", "cluster_header", "weighted_clusters", "cluster_not_found_response_code", "metadata_match", "prefix_rewrite",
            "regex_rewrite", "path_rewrite", "host_rewrite_literal", "auto_host_rewrite", "host_rewrite_header", "host_rewrite_path_regex", "host_rewrite",
            "append_x_forwarded_host", "timeout", "idle_timeout", "flush_timeout", "early_data_policy", "retry_policy", "request_mirror_policies", "priority",
            "rate_limits", "include_vh_rate_limits", "hash_policy", "cors", "upgrade_configs", "max_internal_redirects", "hedge_policy", "max_stream_duration");
        switch (message.ClusterSpecifierCase)
        {
            case RouteV3.RouteAction.ClusterSpecifierOneofCase.Cluster when message.Cluster.Length > 0:
            case RouteV3.RouteAction.ClusterSpecifierOneofCase.ClusterHeader when message.ClusterHeader.Length > 0:
            case RouteV3.RouteAction.ClusterSpecifierOneofCase.WeightedClusters:
                break;
            default:
                errors.Add(path, "A route needs a cluster.");
                return null;
        }

        return new ForwardModel
        {
            Cluster = message.Cluster,
            ClusterHeader = ValueBinder.HeaderName(message.ClusterHeader),
            WeightedClusters = message.WeightedClusters is { } weighted ? BindWeighted(weighted, BindErrors.Path(path, "weighted_clusters"), errors) : null,
            ClusterNotFoundStatus = message.ClusterNotFoundResponseCode switch
            {
                RouteV3.RouteAction.Types.ClusterNotFoundResponseCode.NotFound => 404,
                RouteV3.RouteAction.Types.ClusterNotFoundResponseCode.InternalServerError => 500,
                _ => 503,
            },
            Timeout = ValueBinder.Duration(message.Timeout, BindErrors.Path(path, "timeout"), errors) ?? TimeSpan.FromSeconds(15),
            IdleTimeout = ValueBinder.Duration(message.IdleTimeout, BindErrors.Path(path, "idle_timeout"), errors),
            MaxStreamDuration = ValueBinder.Duration(
                message.MaxStreamDuration?.MaxStreamDuration_, BindErrors.Path(path, "max_stream_duration.max_stream_duration"), errors),
            UsesStreamDuration = message.MaxStreamDuration is not null,
            GrpcTimeoutHeaderMax = ValueBinder.Duration(
                message.MaxStreamDuration?.GrpcTimeoutHeaderMax, BindErrors.Path(path, "max_stream_duration.grpc_timeout_header_max"), errors),
            GrpcTimeoutHeaderOffset =
                ValueBinder.Duration(
                    message.MaxStreamDuration?.GrpcTimeoutHeaderOffset, BindErrors.Path(path, "max_stream_duration.grpc_timeout_header_offset"), errors)
                ?? TimeSpan.Zero,
            RetryPolicy = BindRetry(message.RetryPolicy, BindErrors.Path(path, "retry_policy"), errors),
            HedgePolicy = BindHedge(message.HedgePolicy, BindErrors.Path(path, "hedge_policy"), errors),
            MirrorPolicies = message.RequestMirrorPolicies.Count == 0 ? null : BindMirrors(message.RequestMirrorPolicies, path, errors),
            HashPolicies = BindHash(message.HashPolicy, path, errors),
            Priority = message.Priority,
            Upgrades = BindUpgrades(message.UpgradeConfigs, path, errors),
            Tunnel = message.UpgradeConfigs.FirstOrDefault(static upgrade => upgrade.ConnectConfig is not null) is { } connect
                ? new TunnelModel(connect.ConnectConfig.AllowPost)
                : null,
            MetadataMatch = message.MetadataMatch,
            RateLimits = RateLimitBinder.Bind(message.RateLimits, path, errors),
            IncludeVirtualHostRateLimits = message.IncludeVhRateLimits ?? false,
            Cors = CorsBinder.Bind(message.Cors, BindErrors.Path(path, "cors"), errors),
            PathRewrite = BindPathRewrite(message, path, errors),
            HostRewrite = BindHostRewrite(message, path, errors),
            AutoHostRewrite = message.AutoHostRewrite ?? false,
            AppendXForwardedHost = message.AppendXForwardedHost,
        };
    }

    private static List<UpgradeModel> BindUpgrades(IReadOnlyList<RouteV3.RouteAction.Types.UpgradeConfig> messages, string path, BindErrors errors)
    {
        var upgrades = new List<UpgradeModel>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var field = BindErrors.Path(path, "upgrade_configs", i);
            if (message.UpgradeType.Length == 0 || upgrades.Exists(other => string.Equals(other.Type, message.UpgradeType, StringComparison.OrdinalIgnoreCase)))
            {
                errors.Add(BindErrors.Path(field, "upgrade_type"), "Each upgrade must have a type of its own.");
            }

            if (message.ConnectConfig is not null && !string.Equals(message.UpgradeType, "CONNECT", StringComparison.OrdinalIgnoreCase))
            {
                errors.Add(BindErrors.Path(field, "connect_config"), "Only CONNECT can end in a tunnel.");
            }

            SupportedFields.Check(message.ConnectConfig, BindErrors.Path(field, "connect_config"), errors, "allow_post");
            upgrades.Add(new UpgradeModel(message.UpgradeType, message.Enabled ?? true));
        }

        return upgrades;
    }

    private static PathRewriteModel? BindPathRewrite(RouteV3.RouteAction message, string path, BindErrors errors)
    {
        var given = (message.PrefixRewrite.Length > 0 ? 1 : 0) + (message.RegexRewrite is not null ? 1 : 0) + (message.PathRewrite.Length > 0 ? 1 : 0);
        if (given == 0)
        {
            return null;
        }

        if (given > 1)
        {
            errors.Add(path, "Only one of prefix_rewrite, regex_rewrite and path_rewrite may be given.");
            return null;
        }

        if (!ValueBinder.IsHeaderValue(message.PrefixRewrite) || !ValueBinder.IsHeaderValue(message.PathRewrite))
        {
            errors.Add(path, "A path cannot have a line break or a NUL.");
            return null;
        }

        return new PathRewriteModel
        {
            Prefix = message.PrefixRewrite.Length > 0 ? Encoding.UTF8.GetBytes(message.PrefixRewrite) : null,
            Regex = ValueBinder.Rewrite(message.RegexRewrite, BindErrors.Path(path, "regex_rewrite"), errors),
            Format = message.PathRewrite.Length > 0
                ? ValueBinder.Format(message.PathRewrite, omitEmpty: true, BindErrors.Path(path, "path_rewrite"), errors) : null,
        };
    }

    private static HostRewriteModel? Refused(string path, BindErrors errors)
    {
        errors.Add(path, "A host cannot have a line break or a NUL.");
        return null;
    }

    private static HostRewriteModel? BindHostRewrite(RouteV3.RouteAction message, string path, BindErrors errors) => message.HostRewriteSpecifierCase switch
    {
        RouteV3.RouteAction.HostRewriteSpecifierOneofCase.HostRewriteLiteral when !ValueBinder.IsHeaderValue(message.HostRewriteLiteral) =>
            Refused(BindErrors.Path(path, "host_rewrite_literal"), errors),
        RouteV3.RouteAction.HostRewriteSpecifierOneofCase.HostRewriteLiteral when message.HostRewriteLiteral.Length > 0 =>
            new HostRewriteModel { Literal = Encoding.UTF8.GetBytes(message.HostRewriteLiteral) },
        RouteV3.RouteAction.HostRewriteSpecifierOneofCase.HostRewriteHeader =>
            new HostRewriteModel { Header = ValueBinder.HeaderName(message.HostRewriteHeader) },
        RouteV3.RouteAction.HostRewriteSpecifierOneofCase.HostRewritePathRegex =>
            new HostRewriteModel { PathRegex = ValueBinder.Rewrite(message.HostRewritePathRegex, BindErrors.Path(path, "host_rewrite_path_regex"), errors) },
        RouteV3.RouteAction.HostRewriteSpecifierOneofCase.HostRewrite =>
            new HostRewriteModel { Format = ValueBinder.Format(message.HostRewrite, omitEmpty: true, BindErrors.Path(path, "host_rewrite"), errors) },
        _ => null,
    };

    private WeightedClustersModel? BindWeighted(RouteV3.WeightedCluster message, string path, BindErrors errors)
    {
        var clusters = new List<WeightedClusterModel>(message.Clusters.Count);
        var total = 0UL;
        for (var i = 0; i < message.Clusters.Count; i++)
        {
            var cluster = message.Clusters[i];
            var at = BindErrors.Path(path, "clusters", i);
            if ((cluster.Name.Length == 0) == (cluster.ClusterHeader.Length == 0))
            {
                errors.Add(at, "A weighted cluster needs either a name or a cluster_header.");
            }

            total += cluster.Weight ?? 0;
            clusters.Add(new WeightedClusterModel
            {
                Cluster = cluster.Name,
                ClusterHeader = ValueBinder.HeaderName(cluster.ClusterHeader),
                Weight = cluster.Weight ?? 0,
                MetadataMatch = cluster.MetadataMatch,
                RequestHeaders = ValueBinder.Mutations(
                    cluster.RequestHeadersToAdd, cluster.RequestHeadersToRemove, at, "request_headers_to_add", "request_headers_to_remove", errors),
                ResponseHeaders =
                    ValueBinder.Mutations(
                        cluster.ResponseHeadersToAdd, cluster.ResponseHeadersToRemove, at, "response_headers_to_add", "response_headers_to_remove", errors),
                FilterConfigs = filters.BindRoute(cluster.TypedPerFilterConfig, at, errors),
                HostRewriteLiteral = cluster.HostRewriteLiteral.Length > 0 ? Encoding.UTF8.GetBytes(cluster.HostRewriteLiteral) : null,
            });
        }

        if (total is 0 or > uint.MaxValue)
        {
            errors.Add(path, "The sum of the weights must be above 0 and fit 32 bits.");
            return null;
        }

        return new WeightedClustersModel
        {
            Clusters = clusters,
            TotalWeight = total,
            ValueHeader = ValueBinder.HeaderName(message.HeaderName),
            UseHashPolicy = message.UseHashPolicy ?? false,
        };
    }

    internal RetryPolicyModel? BindRetry(RouteV3.RetryPolicy? message, string path, BindErrors errors)
    {
        if (message is null)
        {
            return null;
        }

        SupportedFields.Check(
            message, path, errors, "retry_on", "num_retries", "per_try_timeout", "per_try_idle_timeout", "retry_host_predicate",
            "host_selection_retry_max_attempts", "retriable_status_codes", "retry_back_off", "rate_limited_retry_back_off", "retriable_headers",
            "retriable_request_headers");
        var avoid = false;
        for (var i = 0; i < message.RetryHostPredicate.Count; i++)
        {
            var type = Any.GetTypeName(message.RetryHostPredicate[i].TypedConfig?.TypeUrl ?? "");
            if (type == PreviousHostsPredicate.Descriptor.FullName)
            {
                avoid = true;
            }
            else
            {
                errors.Add(
                    BindErrors.Path(path, "retry_host_predicate", i),
                    $"The predicate {message.RetryHostPredicate[i].Name} is not supported by the embedded proxy.");
            }
        }

        var backOffPath = BindErrors.Path(path, "retry_back_off");
        var backOff = ValueBinder.Duration(message.RetryBackOff?.BaseInterval, BindErrors.Path(backOffPath, "base_interval"), errors)
            ?? TimeSpan.FromMilliseconds(25);
        backOff = backOff < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : backOff;
        var backOffMax = ValueBinder.Duration(message.RetryBackOff?.MaxInterval, BindErrors.Path(backOffPath, "max_interval"), errors) ?? backOff * 10;
        if (backOffMax < backOff)
        {
            errors.Add(backOffPath, "max_interval must not be below base_interval.");
        }

        var perTry = ValueBinder.Duration(message.PerTryTimeout, BindErrors.Path(path, "per_try_timeout"), errors);
        var perTryIdle = ValueBinder.Duration(message.PerTryIdleTimeout, BindErrors.Path(path, "per_try_idle_timeout"), errors);
        return new RetryPolicyModel
        {
            RetryOn = RetryOnWords.ParseList(message.RetryOn, out _),
            MaxRetries = message.NumRetries ?? 1,
            PerTryTimeout = perTry == TimeSpan.Zero ? null : perTry,
            PerTryIdleTimeout = perTryIdle == TimeSpan.Zero ? null : perTryIdle,
            BackOffBase = backOff,
            BackOffMax = backOffMax,
            RetriableStatusCodes = [.. message.RetriableStatusCodes.Select(status => (int)status)],
            RetriableHeaders = ValueBinder.Headers(message.RetriableHeaders, path, "retriable_headers", errors),
            RetriableRequestHeaders = ValueBinder.Headers(message.RetriableRequestHeaders, path, "retriable_request_headers", errors),
            AvoidPreviousHosts = avoid,
            HostSelectionAttempts = (int)Math.Clamp(message.HostSelectionRetryMaxAttempts, 1, 1000),
            ResetHeaders =
            [
                .. (message.RateLimitedRetryBackOff?.ResetHeaders ?? []).Select(
                    header =>
                        (Encoding.ASCII.GetBytes(header.Name.ToLowerInvariant()), header.Format == RouteV3.RetryPolicy.Types.ResetHeaderFormat.UnixTimestamp)),
            ],
            ResetHeaderMax = ValueBinder.Duration(
                message.RateLimitedRetryBackOff?.MaxInterval, BindErrors.Path(path, "rate_limited_retry_back_off.max_interval"),
                errors) ?? TimeSpan.FromSeconds(300),
        };
    }

    internal static HedgePolicyModel? BindHedge(RouteV3.HedgePolicy? message, string path, BindErrors errors)
    {
        if (message is null)
        {
            return null;
        }

        SupportedFields.Check(message, path, errors, "initial_requests", "additional_request_chance", "hedge_on_per_try_timeout");
        if (message.InitialRequests is > 1)
        {
            errors.AddPartial(BindErrors.Path(path, "initial_requests"), "One request is sent at first, as Envoy does.");
        }

        if (message.AdditionalRequestChance is not null)
        {
            errors.AddPartial(BindErrors.Path(path, "additional_request_chance"), "No further requests are sent at first, as in Envoy.");
        }

        return new HedgePolicyModel(message.HedgeOnPerTryTimeout);
    }

    internal static List<MirrorPolicyModel> BindMirrors(IReadOnlyList<RouteV3.RouteAction.Types.RequestMirrorPolicy> messages, string path, BindErrors errors)
    {
        var mirrors = new List<MirrorPolicyModel>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var at = BindErrors.Path(path, "request_mirror_policies", i);
            SupportedFields.Check(
                message, at, errors, "cluster", "cluster_header", "runtime_fraction", "trace_sampled", "disable_shadow_host_suffix_append",
                "host_rewrite_literal");
            mirrors.Add(new MirrorPolicyModel
            {
                Cluster = message.Cluster,
                ClusterHeader = ValueBinder.HeaderName(message.ClusterHeader),
                Fraction = ValueBinder.Fraction(message.RuntimeFraction),
                AppendShadowSuffix = !message.DisableShadowHostSuffixAppend,
                HostRewriteLiteral = message.HostRewriteLiteral.Length > 0 ? Encoding.UTF8.GetBytes(message.HostRewriteLiteral) : null,
                RequestHeaders = HeaderMutationsModel.None,
            });
        }

        return mirrors;
    }

    private static List<HashPolicyModel> BindHash(IReadOnlyList<RouteV3.RouteAction.Types.HashPolicy> messages, string path, BindErrors errors)
    {
        var policies = new List<HashPolicyModel>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var at = BindErrors.Path(path, "hash_policy", i);
            switch (message.PolicySpecifierCase)
            {
                case RouteV3.RouteAction.Types.HashPolicy.PolicySpecifierOneofCase.Header:
                    policies.Add(new HashPolicyModel
                    {
                        Source = HashSource.Header,
                        Name = ValueBinder.HeaderName(message.Header.HeaderName) ?? [],
                        Rewrite = ValueBinder.Rewrite(message.Header.RegexRewrite, BindErrors.Path(at, "header.regex_rewrite"), errors),
                        Terminal = message.Terminal,
                    });
                    break;
                case RouteV3.RouteAction.Types.HashPolicy.PolicySpecifierOneofCase.Cookie:
                    policies.Add(new HashPolicyModel
                    {
                        Source = HashSource.Cookie,
                        Name = Encoding.UTF8.GetBytes(message.Cookie.Name),
                        CookieTtl = ValueBinder.Duration(message.Cookie.Ttl, BindErrors.Path(at, "cookie.ttl"), errors) is null
                            ? null : ValueBinder.Age(message.Cookie.Ttl),
                        CookiePath = message.Cookie.Path,
                        CookieAttributes = [.. message.Cookie.Attributes.Select(attribute => (attribute.Name, attribute.Value))],
                        Terminal = message.Terminal,
                    });
                    break;
                case RouteV3.RouteAction.Types.HashPolicy.PolicySpecifierOneofCase.ConnectionProperties:
                    if (message.ConnectionProperties.SourceIp)
                    {
                        policies.Add(new HashPolicyModel { Source = HashSource.SourceIp, Terminal = message.Terminal });
                    }

                    break;
                case RouteV3.RouteAction.Types.HashPolicy.PolicySpecifierOneofCase.QueryParameter:
                    policies.Add(new HashPolicyModel
                    {
                        Source = HashSource.QueryParameter,
                        Name = Encoding.UTF8.GetBytes(message.QueryParameter.Name),
                        Terminal = message.Terminal,
                    });
                    break;
                default:
                    errors.Add(at, "This hash policy is not supported by the embedded proxy.");
                    break;
            }
        }

        return policies;
    }
}
