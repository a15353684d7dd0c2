namespace Nuncio.Compiler.Tests.Schema;

/// <summary>
/// For each field of each kind a manifest without it and one with it. A line is <c>record.property | what is added to the kind's base | what stands there
/// before</c>
/// (nothing where left out); text in braces is the whole object in place of the base.
/// </summary>
internal static class FieldRows
{
    public const string Mapping = """
        MappingSpec.Prefix | {prefix: /y/, service: svc, hostname: '*'}
        MappingSpec.PrefixExact | prefix_exact: true
        MappingSpec.PrefixRegex | prefix_regex: true
        MappingSpec.CaseSensitive | case_sensitive: false
        MappingSpec.Hostname | {prefix: /x/, service: svc, hostname: a.com}
        MappingSpec.Host | {prefix: /x/, service: svc, host: a.com} | {prefix: /x/, service: svc}
        MappingSpec.HostRegex | {prefix: /x/, service: svc, host: a.com, host_regex: true} | {prefix: /x/, service: svc, host: a.com}
        MappingSpec.Method | method: GET
        MappingSpec.MethodRegex | method: G.*, method_regex: true | method: GET
        MappingSpec.Headers | headers: {x-a: b}
        MappingSpec.RegexHeaders | regex_headers: {x-a: b.*}
        MappingSpec.QueryParameters | query_parameters: {a: b}
        MappingSpec.RegexQueryParameters | regex_query_parameters: {a: b.*}
        MappingSpec.Precedence | precedence: 5
        MappingSpec.Weight | {prefix: /shared/, service: svc, hostname: '*', weight: 20} | {prefix: /shared/, service: svc, hostname: '*'}
        MappingSpec.Service | {prefix: /x/, service: svc2, hostname: '*'}
        MappingSpec.Resolver | resolver: kubernetes-endpoint
        MappingSpec.Tls | tls: context
        MappingSpec.DnsType | dns_type: logical_dns
        MappingSpec.RespectDnsTtl | respect_dns_ttl: true
        MappingSpec.EnableIPv4 | enable_ipv4: false, enable_ipv6: true | enable_ipv6: true
        MappingSpec.EnableIPv6 | enable_ipv6: true
        MappingSpec.Grpc | grpc: true
        MappingSpec.LoadBalancer | load_balancer: {policy: least_request}, resolver: kubernetes-endpoint | resolver: kubernetes-endpoint
        MappingSpec.CircuitBreakers | circuit_breakers: [{max_connections: 3}]
        MappingSpec.Keepalive | keepalive: {probes: 3}
        MappingSpec.ConnectTimeoutMs | connect_timeout_ms: 5
        MappingSpec.TimeoutMs | timeout_ms: 5
        MappingSpec.IdleTimeoutMs | idle_timeout_ms: 5
        MappingSpec.ClusterIdleTimeoutMs | cluster_idle_timeout_ms: 5
        MappingSpec.ClusterMaxConnectionLifetimeMs | cluster_max_connection_lifetime_ms: 5
        MappingSpec.HealthChecks | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}] | resolver: kubernetes-endpoint
        MappingSpec.ClusterTag | cluster_tag: tag
        MappingSpec.StatsName | stats_name: stats
        MappingSpec.OutlierDetection | outlier_detection: x
        MappingSpec.Rewrite | rewrite: /z/
        MappingSpec.RegexRewrite | regex_rewrite: {pattern: x, substitution: y}
        MappingSpec.HostRewrite | host_rewrite: z.com
        MappingSpec.AutoHostRewrite | auto_host_rewrite: true
        MappingSpec.AddRequestHeaders | add_request_headers: {x-a: {value: b}}
        MappingSpec.AddResponseHeaders | add_response_headers: {x-a: {value: b}}
        MappingSpec.RemoveRequestHeaders | remove_request_headers: [x-a]
        MappingSpec.RemoveResponseHeaders | remove_response_headers: [x-a]
        MappingSpec.AddLinkerdHeaders | add_linkerd_headers: true
        MappingSpec.HostRedirect | host_redirect: true
        MappingSpec.PathRedirect | host_redirect: true, path_redirect: /p | host_redirect: true
        MappingSpec.PrefixRedirect | host_redirect: true, prefix_redirect: /p | host_redirect: true
        MappingSpec.RegexRedirect | host_redirect: true, regex_redirect: {pattern: a, substitution: b} | host_redirect: true
        MappingSpec.RedirectResponseCode | host_redirect: true, redirect_response_code: 308 | host_redirect: true
        MappingSpec.Shadow | {prefix: /shared/, service: svc, hostname: '*', shadow: true} | {prefix: /shared/, service: svc, hostname: '*'}
        MappingSpec.Cors | cors: {origins: [a]}
        MappingSpec.RetryPolicy | retry_policy: {retry_on: 5xx}
        MappingSpec.AllowUpgrade | allow_upgrade: [websocket]
        MappingSpec.UseWebsocket | use_websocket: true
        MappingSpec.Priority | priority: HIGH
        MappingSpec.BypassAuth | bypass_auth: true
        MappingSpec.AuthContextExtensions | auth_context_extensions: {a: b}
        MappingSpec.Labels | labels: {ambassador: [{g: [{generic_key: {value: v}}]}]}
        MappingSpec.ErrorResponseOverrides | error_response_overrides: [{on_status_code: 404, body: {text_format: gone}}]
        MappingSpec.BypassErrorResponseOverrides | error_response_overrides: [{on_status_code: 404, body: {text_format: gone}}], bypass_error_response_overrides: true | error_response_overrides: [{on_status_code: 404, body: {text_format: gone}}]
        MappingSpec.Docs | docs: {path: /docs}
        MappingDocs.Path | docs: {path: /docs}
        MappingDocs.Url | docs: {url: 'http://a/'}
        MappingDocs.Ignored | docs: {ignored: true}
        MappingDocs.DisplayName | docs: {display_name: a}
        MappingDocs.TimeoutMs | docs: {timeout_ms: 5}
        AddedHeader.Value | add_request_headers: {x-a: {value: c}} | add_request_headers: {x-a: {value: b}}
        AddedHeader.Append | add_request_headers: {x-a: {value: b, append: false}} | add_request_headers: {x-a: {value: b}}
        RegexSubstitution.Pattern | regex_rewrite: {pattern: z, substitution: y} | regex_rewrite: {pattern: x, substitution: y}
        RegexSubstitution.Substitution | regex_rewrite: {pattern: x, substitution: z} | regex_rewrite: {pattern: x, substitution: y}
        ErrorResponseOverride.OnStatusCode | error_response_overrides: [{on_status_code: 404, body: {text_format: gone}}]
        ErrorResponseOverride.ContentType | error_response_overrides: [{on_status_code: 404, body: {text_format: gone, content_type: a/b}}]
        ErrorResponseOverride.TextFormat | error_response_overrides: [{on_status_code: 404, body: {text_format: gone}}]
        ErrorResponseOverride.JsonFormat | error_response_overrides: [{on_status_code: 404, body: {json_format: {a: b}}}]
        ErrorResponseOverride.TextFormatFile | error_response_overrides: [{on_status_code: 404, body: {text_format_source: {filename: /f}}}]
        LoadBalancerConfig.Policy | load_balancer: {policy: least_request}, resolver: kubernetes-endpoint | load_balancer: {policy: round_robin}, resolver: kubernetes-endpoint
        LoadBalancerConfig.Cookie | load_balancer: {policy: maglev, cookie: {name: c}}, resolver: kubernetes-endpoint | resolver: kubernetes-endpoint
        LoadBalancerConfig.Header | load_balancer: {policy: maglev, header: x-b}, resolver: kubernetes-endpoint | load_balancer: {policy: maglev, header: x-a}, resolver: kubernetes-endpoint
        LoadBalancerConfig.SourceIp | load_balancer: {policy: maglev, source_ip: true}, resolver: kubernetes-endpoint | resolver: kubernetes-endpoint
        LoadBalancerCookie.Name | load_balancer: {policy: maglev, cookie: {name: d}}, resolver: kubernetes-endpoint | load_balancer: {policy: maglev, cookie: {name: c}}, resolver: kubernetes-endpoint
        LoadBalancerCookie.Path | load_balancer: {policy: maglev, cookie: {name: c, path: /p}}, resolver: kubernetes-endpoint | load_balancer: {policy: maglev, cookie: {name: c}}, resolver: kubernetes-endpoint
        LoadBalancerCookie.Ttl | load_balancer: {policy: maglev, cookie: {name: c, ttl: 5s}}, resolver: kubernetes-endpoint | load_balancer: {policy: maglev, cookie: {name: c}}, resolver: kubernetes-endpoint
        CircuitBreakerConfig.Priority | circuit_breakers: [{max_connections: 3, priority: high}] | circuit_breakers: [{max_connections: 3}]
        CircuitBreakerConfig.MaxConnections | circuit_breakers: [{max_connections: 3}] | circuit_breakers: [{}]
        CircuitBreakerConfig.MaxPendingRequests | circuit_breakers: [{max_pending_requests: 3}] | circuit_breakers: [{}]
        CircuitBreakerConfig.MaxRequests | circuit_breakers: [{max_requests: 3}] | circuit_breakers: [{}]
        CircuitBreakerConfig.MaxRetries | circuit_breakers: [{max_retries: 4}] | circuit_breakers: [{}]
        KeepaliveConfig.Probes | keepalive: {probes: 3} | keepalive: {}
        KeepaliveConfig.IdleTime | keepalive: {idle_time: 3} | keepalive: {}
        KeepaliveConfig.Interval | keepalive: {interval: 3} | keepalive: {}
        CorsConfig.Origins | cors: {origins: [b]} | cors: {origins: [a]}
        CorsConfig.Methods | cors: {origins: [a], methods: [GET]} | cors: {origins: [a]}
        CorsConfig.Headers | cors: {origins: [a], headers: [x-a]} | cors: {origins: [a]}
        CorsConfig.ExposedHeaders | cors: {origins: [a], exposed_headers: [x-a]} | cors: {origins: [a]}
        CorsConfig.Credentials | cors: {origins: [a], credentials: true} | cors: {origins: [a]}
        CorsConfig.MaxAge | cors: {origins: [a], max_age: '5'} | cors: {origins: [a]}
        RetryPolicyConfig.RetryOn | retry_policy: {retry_on: gateway-error} | retry_policy: {retry_on: 5xx}
        RetryPolicyConfig.NumRetries | retry_policy: {retry_on: 5xx, num_retries: 4} | retry_policy: {retry_on: 5xx}
        RetryPolicyConfig.PerTryTimeout | retry_policy: {retry_on: 5xx, per_try_timeout: 5s} | retry_policy: {retry_on: 5xx}
        HealthCheckConfig.Timeout | resolver: kubernetes-endpoint, health_checks: [{timeout: 1s, health_check: {http: {path: /h}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}]
        HealthCheckConfig.Interval | resolver: kubernetes-endpoint, health_checks: [{interval: 1s, health_check: {http: {path: /h}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}]
        HealthCheckConfig.UnhealthyThreshold | resolver: kubernetes-endpoint, health_checks: [{unhealthy_threshold: 5, health_check: {http: {path: /h}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}]
        HealthCheckConfig.HealthyThreshold | resolver: kubernetes-endpoint, health_checks: [{healthy_threshold: 5, health_check: {http: {path: /h}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}]
        HealthCheckConfig.Http | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}] | resolver: kubernetes-endpoint
        HealthCheckConfig.Grpc | grpc: true, resolver: kubernetes-endpoint, health_checks: [{health_check: {grpc: {upstream_name: u}}}] | grpc: true, resolver: kubernetes-endpoint
        HttpHealthCheck.Path | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /i}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}]
        HttpHealthCheck.Hostname | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h, hostname: a}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}]
        HttpHealthCheck.AddRequestHeaders | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h, add_request_headers: {x-a: {value: b}}}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}]
        HttpHealthCheck.RemoveRequestHeaders | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h, remove_request_headers: [x-a]}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}]
        HttpHealthCheck.ExpectedStatuses | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h, expected_statuses: [{min: 200, max: 201}]}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h}}}]
        StatusRange.Min | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h, expected_statuses: [{min: 200, max: 203}]}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h, expected_statuses: [{min: 201, max: 203}]}}}]
        StatusRange.Max | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h, expected_statuses: [{min: 200, max: 203}]}}}] | resolver: kubernetes-endpoint, health_checks: [{health_check: {http: {path: /h, expected_statuses: [{min: 200, max: 204}]}}}]
        GrpcHealthCheck.UpstreamName | grpc: true, resolver: kubernetes-endpoint, health_checks: [{health_check: {grpc: {upstream_name: v}}}] | grpc: true, resolver: kubernetes-endpoint, health_checks: [{health_check: {grpc: {upstream_name: u}}}]
        GrpcHealthCheck.Authority | grpc: true, resolver: kubernetes-endpoint, health_checks: [{health_check: {grpc: {upstream_name: u, authority: a}}}] | grpc: true, resolver: kubernetes-endpoint, health_checks: [{health_check: {grpc: {upstream_name: u}}}]
        LabelGroup.Specifiers | labels: {ambassador: [{g: [{source_cluster: {key: source_cluster}}]}]} | labels: {ambassador: [{g: [{generic_key: {value: v}}]}]}
        GenericKeySpecifier.Key | labels: {ambassador: [{g: [{generic_key: {key: k, value: v}}]}]} | labels: {ambassador: [{g: [{generic_key: {value: v}}]}]}
        GenericKeySpecifier.Value | labels: {ambassador: [{g: [{generic_key: {value: w}}]}]} | labels: {ambassador: [{g: [{generic_key: {value: v}}]}]}
        RequestHeaderSpecifier.Key | labels: {ambassador: [{g: [{request_headers: {key: l, header_name: x-a}}]}]} | labels: {ambassador: [{g: [{request_headers: {key: k, header_name: x-a}}]}]}
        RequestHeaderSpecifier.HeaderName | labels: {ambassador: [{g: [{request_headers: {key: k, header_name: x-b}}]}]} | labels: {ambassador: [{g: [{request_headers: {key: k, header_name: x-a}}]}]}
        RequestHeaderSpecifier.OmitIfNotPresent | labels: {ambassador: [{g: [{request_headers: {key: k, header_name: x-a, omit_if_not_present: true}}]}]} | labels: {ambassador: [{g: [{request_headers: {key: k, header_name: x-a}}]}]}
        """;

    public const string TcpMapping = """
        TcpMappingSpec.Port | {port: 9001, service: svc}
        TcpMappingSpec.Address | address: 127.0.0.1
        TcpMappingSpec.Host | host: a.com
        TcpMappingSpec.Service | {port: 9000, service: svc2}
        TcpMappingSpec.Resolver | resolver: kubernetes-endpoint
        TcpMappingSpec.Tls | tls: context
        TcpMappingSpec.Weight | {port: 9002, service: svc, weight: 20} | {port: 9002, service: svc}
        TcpMappingSpec.EnableIPv4 | enable_ipv4: false, enable_ipv6: true | enable_ipv6: true
        TcpMappingSpec.EnableIPv6 | enable_ipv6: true
        TcpMappingSpec.CircuitBreakers | circuit_breakers: [{max_connections: 3}]
        TcpMappingSpec.ClusterTag | cluster_tag: tag
        TcpMappingSpec.StatsName | stats_name: stats
        TcpMappingSpec.IdleTimeoutMs | idle_timeout_ms: '500'
        """;

    public const string Host = """
        HostSpec.Hostname | {hostname: b.com}
        HostSpec.MappingSelector | mappingSelector: {matchLabels: {team: red}}
        HostSpec.TlsSecret | tlsSecret: {name: cert}
        HostSpec.Tls | tlsSecret: {name: cert}, tls: {alpn_protocols: h2} | tlsSecret: {name: cert}
        HostSpec.TlsContextName | tlsSecret: {name: cert}, tlsContext: {name: context} | tlsSecret: {name: cert}
        HostSpec.InsecureAction | requestPolicy: {insecure: {action: Route}}
        HostSpec.InsecureAdditionalPort | requestPolicy: {insecure: {additionalPort: 8081}}
        HostSpec.AcmeProvider | acmeProvider: {authority: 'https://acme', email: a@b.com}
        HostSpec.PreviewUrl | previewUrl: {enabled: true, type: Path}
        LabelSelector.MatchLabels | mappingSelector: {matchLabels: {team: red}} | mappingSelector: {matchLabels: {team: blue}}
        LabelSelector.HasMatchExpressions | mappingSelector: {matchExpressions: [{key: team, operator: Exists}]} | mappingSelector: {}
        SecretReference.Name | tlsSecret: {name: other} | tlsSecret: {name: cert}
        SecretReference.Namespace | tlsSecret: {name: cert, namespace: elsewhere} | tlsSecret: {name: cert}
        AcmeProviderConfig.Authority | acmeProvider: {authority: 'https://acme'}
        AcmeProviderConfig.Email | acmeProvider: {email: a@b.com}
        AcmeProviderConfig.PrivateKeySecretName | acmeProvider: {authority: none, privateKeySecret: {name: key}} | acmeProvider: {authority: none}
        AcmeProviderConfig.Registration | acmeProvider: {registration: text}
        PreviewUrlConfig.Enabled | previewUrl: {enabled: true} | {hostname: '*'}
        PreviewUrlConfig.Type | previewUrl: {type: Path} | {hostname: '*'}
        """;

    public const string Listener = """
        ListenerSpec.Port | {port: 8081, protocol: HTTPS, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
        ListenerSpec.Protocol | {port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
        ListenerSpec.ProtocolStack | {port: 8080, protocolStack: [PROXY, HTTP, TCP], securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
        ListenerSpec.SecurityModel | {port: 8080, protocol: HTTPS, securityModel: SECURE, hostBinding: {namespace: {from: ALL}}}
        ListenerSpec.HostBinding | {port: 8080, protocol: HTTPS, securityModel: XFP, hostBinding: {selector: {matchLabels: {a: b}}}}
        ListenerSpec.L7Depth | l7Depth: 2
        ListenerSpec.StatsPrefix | statsPrefix: stats
        ListenerSpec.Http2MaxConcurrentStreams | http2MaxConcurrentStreams: 5
        ListenerSpec.BindAddress | bind_address: 127.0.0.2
        HostBinding.NamespaceFrom | {port: 8080, protocol: HTTPS, securityModel: XFP, hostBinding: {namespace: {from: SELF}}}
        HostBinding.Selector | {port: 8080, protocol: HTTPS, securityModel: XFP, hostBinding: {namespace: {from: ALL}, selector: {matchLabels: {a: b}}}}
        """;

    public const string TlsContext = """
        TlsContextSpec.Hosts | hosts: [b.com]
        TlsContextSpec.Secret | {secret: other}
        TlsContextSpec.SecretNamespacing | {secret: cert.default, secret_namespacing: false} | {secret: cert.default}
        TlsConfig.CertChainFile | {cert_chain_file: /a, private_key_file: /b}
        TlsConfig.PrivateKeyFile | {private_key_file: /b}
        TlsConfig.CaSecret | ca_secret: ca
        TlsConfig.CaCertChainFile | cacert_chain_file: /a
        TlsConfig.CrlSecret | ca_secret: ca, crl_secret: crl | ca_secret: ca
        TlsConfig.AlpnProtocols | alpn_protocols: h2
        TlsConfig.CertRequired | ca_secret: ca, cert_required: true | ca_secret: ca
        TlsConfig.MinTlsVersion | min_tls_version: v1.3
        TlsConfig.MaxTlsVersion | max_tls_version: v1.2
        TlsConfig.CipherSuites | cipher_suites: [ECDHE-RSA-AES128-GCM-SHA256]
        TlsConfig.EcdhCurves | ecdh_curves: [P-256]
        TlsConfig.RedirectCleartextFrom | redirect_cleartext_from: 8080
        TlsConfig.Sni | sni: upstream.com
        """;

    public const string AuthService = """
        AuthServiceSpec.AuthService | {auth_service: 'auth2:3000'}
        AuthServiceSpec.Proto | proto: grpc, protocol_version: v3
        AuthServiceSpec.ProtocolVersion | proto: grpc, protocol_version: v3 | proto: grpc
        AuthServiceSpec.PathPrefix | path_prefix: /p
        AuthServiceSpec.TimeoutMs | timeout_ms: 5
        AuthServiceSpec.Tls | tls: context
        AuthServiceSpec.AllowedRequestHeaders | allowed_request_headers: [x-a]
        AuthServiceSpec.AllowedAuthorizationHeaders | allowed_authorization_headers: [x-a]
        AuthServiceSpec.AddAuthHeaders | add_auth_headers: {x-a: b}
        AuthServiceSpec.IncludeBody | include_body: {max_bytes: 5, allow_partial: true}
        AuthServiceSpec.AllowRequestBody | allow_request_body: true
        AuthServiceSpec.StatusOnError | status_on_error: {code: 503}
        AuthServiceSpec.FailureModeAllow | failure_mode_allow: true
        AuthServiceSpec.AddLinkerdHeaders | add_linkerd_headers: true
        AuthServiceSpec.StatsName | stats_name: stats
        AuthServiceSpec.CircuitBreakers | circuit_breakers: [{max_connections: 3}]
        IncludeBodyConfig.MaxBytes | include_body: {max_bytes: 5, allow_partial: true} | include_body: {max_bytes: 6, allow_partial: true}
        IncludeBodyConfig.AllowPartial | include_body: {max_bytes: 5, allow_partial: true} | include_body: {max_bytes: 5, allow_partial: false}
        """;

    public const string RateLimitService = """
        RateLimitServiceSpec.Service | {service: limit2, protocol_version: v3}
        RateLimitServiceSpec.Domain | domain: other
        RateLimitServiceSpec.TimeoutMs | timeout_ms: 5
        RateLimitServiceSpec.ProtocolVersion | {service: limit, protocol_version: v2}
        RateLimitServiceSpec.FailureModeDeny | failure_mode_deny: true
        RateLimitServiceSpec.UseResourceExhaustedCode | grpc: {use_resource_exhausted_code: true}
        RateLimitServiceSpec.Tls | tls: context
        RateLimitServiceSpec.StatsName | stats_name: stats
        """;

    public const string LogService = """
        LogServiceSpec.Service | {service: log2, driver: http, driver_config: {}, protocol_version: v3, grpc: true}
        LogServiceSpec.Driver | {service: log, driver: tcp, driver_config: {}, protocol_version: v3, grpc: true}
        LogServiceSpec.AdditionalLogHeaders | {service: log, driver: http, driver_config: {additional_log_headers: [{header_name: x-a}]}, protocol_version: v3, grpc: true}
        LogServiceSpec.FlushIntervalTime | flush_interval_time: 5
        LogServiceSpec.FlushIntervalByteSize | flush_interval_byte_size: 5
        LogServiceSpec.Grpc | {service: log, driver: http, driver_config: {}, protocol_version: v3}
        LogServiceSpec.ProtocolVersion | {service: log, driver: http, driver_config: {}, protocol_version: v2, grpc: true}
        LogServiceSpec.StatsName | stats_name: stats
        LoggedHeader.HeaderName | {service: log, driver: http, driver_config: {additional_log_headers: [{header_name: x-a}]}, protocol_version: v3, grpc: true} | {service: log, driver: http, driver_config: {additional_log_headers: [{header_name: x-b}]}, protocol_version: v3, grpc: true}
        LoggedHeader.DuringRequest | {service: log, driver: http, driver_config: {additional_log_headers: [{header_name: x-a, during_request: false}]}, protocol_version: v3, grpc: true} | {service: log, driver: http, driver_config: {additional_log_headers: [{header_name: x-a}]}, protocol_version: v3, grpc: true}
        LoggedHeader.DuringResponse | {service: log, driver: http, driver_config: {additional_log_headers: [{header_name: x-a, during_response: false}]}, protocol_version: v3, grpc: true} | {service: log, driver: http, driver_config: {additional_log_headers: [{header_name: x-a}]}, protocol_version: v3, grpc: true}
        LoggedHeader.DuringTrailer | {service: log, driver: http, driver_config: {additional_log_headers: [{header_name: x-a, during_trailer: false}]}, protocol_version: v3, grpc: true} | {service: log, driver: http, driver_config: {additional_log_headers: [{header_name: x-a}]}, protocol_version: v3, grpc: true}
        """;

    public const string TracingService = """
        TracingServiceSpec.Driver | {driver: datadog, service: trace}
        TracingServiceSpec.Service | {driver: zipkin, service: trace2}
        TracingServiceSpec.Sampling | sampling: {overall: 5}
        TracingServiceSpec.CustomTags | custom_tags: [{tag: t, literal: {value: v}}]
        TracingServiceSpec.TagHeaders | tag_headers: [x-a]
        TracingServiceSpec.Config | config: {collector_endpoint: /s}
        TracingServiceSpec.StatsName | stats_name: stats
        TracingSampling.Client | sampling: {client: 5}
        TracingSampling.Random | sampling: {random: 5}
        TracingSampling.Overall | sampling: {overall: 5}
        CustomTag.Tag | custom_tags: [{tag: u, literal: {value: v}}] | custom_tags: [{tag: t, literal: {value: v}}]
        CustomTag.Literal | custom_tags: [{tag: t, literal: {value: w}}] | custom_tags: [{tag: t, literal: {value: v}}]
        CustomTag.Environment | custom_tags: [{tag: t, environment: {name: N}}]
        CustomTag.RequestHeader | custom_tags: [{tag: t, request_header: {name: x-a}}]
        CustomTagSource.Name | custom_tags: [{tag: t, request_header: {name: x-b}}] | custom_tags: [{tag: t, request_header: {name: x-a}}]
        CustomTagSource.DefaultValue | custom_tags: [{tag: t, request_header: {name: x-a, default_value: d}}] | custom_tags: [{tag: t, request_header: {name: x-a}}]
        TracingConfig.AccessTokenFile | config: {access_token_file: /f}
        TracingConfig.CollectorCluster | config: {collector_cluster: c}
        TracingConfig.CollectorEndpoint | config: {collector_endpoint: /s}
        TracingConfig.CollectorEndpointVersion | config: {collector_endpoint_version: HTTP_PROTO}
        TracingConfig.CollectorHostname | config: {collector_hostname: h}
        TracingConfig.PropagationModes | config: {propagation_modes: [B3]}
        TracingConfig.ServiceName | {driver: opentelemetry, service: trace, config: {service_name: s}} | {driver: opentelemetry, service: trace}
        TracingConfig.SharedSpanContext | config: {shared_span_context: false}
        TracingConfig.TraceId128Bit | config: {trace_id_128bit: false}
        """;

    public const string DevPortal = """
        DevPortalSpec.Default | default: true
        DevPortalSpec.Content | content: {url: 'https://a'}
        DevPortalSpec.Docs | docs: [{service: a}]
        DevPortalSpec.MatchNamespaces | selector: {matchNamespaces: [a]}
        DevPortalSpec.MatchLabels | selector: {matchLabels: {a: b}}
        DevPortalSpec.NamingScheme | naming_scheme: name.prefix
        DevPortalSpec.PreserveServers | preserve_servers: true
        DevPortalSpec.Search | search: {enabled: true}
        DevPortalContent.Url | content: {url: 'https://a'}
        DevPortalContent.Dir | content: {dir: a}
        DevPortalContent.Branch | content: {branch: a}
        DevPortalDocs.Service | docs: [{service: a}]
        DevPortalDocs.Url | docs: [{url: 'https://a'}]
        DevPortalDocs.TimeoutMs | docs: [{timeout_ms: 5}]
        DevPortalSearch.Enabled | search: {enabled: true}
        DevPortalSearch.Type | search: {type: title-only}
        """;

    public const string Module = """
        AmbassadorModuleConfig.AddLinkerdHeaders | add_linkerd_headers: true
        AmbassadorModuleConfig.AdminPort | admin_port: 8002
        AmbassadorModuleConfig.AllowChunkedLength | allow_chunked_length: true
        AmbassadorModuleConfig.Buffer | buffer: {max_request_bytes: 5}
        AmbassadorModuleConfig.BufferLimitBytes | buffer_limit_bytes: 5
        AmbassadorModuleConfig.CircuitBreakers | circuit_breakers: [{max_connections: 3}]
        AmbassadorModuleConfig.ClusterIdleTimeoutMs | cluster_idle_timeout_ms: 5
        AmbassadorModuleConfig.ClusterMaxConnectionLifetimeMs | cluster_max_connection_lifetime_ms: 5
        AmbassadorModuleConfig.ClusterRequestTimeoutMs | cluster_request_timeout_ms: 5
        AmbassadorModuleConfig.Cors | cors: {origins: [a]}
        AmbassadorModuleConfig.DefaultLabelDomain | default_label_domain: other
        AmbassadorModuleConfig.DefaultLabels | default_labels: {ambassador: {defaults: [{generic_key: {value: v}}]}}
        AmbassadorModuleConfig.Defaults | defaults: {remove_request_headers: [x-a]}
        AmbassadorModuleConfig.Diagnostics | diagnostics: {enabled: false}
        AmbassadorModuleConfig.EnableGrpcHttp11Bridge | enable_grpc_http11_bridge: true
        AmbassadorModuleConfig.EnableGrpcWeb | enable_grpc_web: true
        AmbassadorModuleConfig.GrpcStats | grpc_stats: {all_methods: true}
        AmbassadorModuleConfig.EnableHttp10 | enable_http10: true
        AmbassadorModuleConfig.EnableIPv4 | enable_ipv4: false, enable_ipv6: true | enable_ipv6: true
        AmbassadorModuleConfig.EnableIPv6 | enable_ipv6: true
        AmbassadorModuleConfig.EnvoyLogType | envoy_log_type: json
        AmbassadorModuleConfig.EnvoyLogPath | envoy_log_path: /tmp/log
        AmbassadorModuleConfig.EnvoyLogTextFormat | envoy_log_format: text
        AmbassadorModuleConfig.EnvoyLogJsonFormat | envoy_log_type: json, envoy_log_format: {a: '%PROTOCOL%'} | envoy_log_type: json
        AmbassadorModuleConfig.ErrorResponseOverrides | error_response_overrides: [{on_status_code: 404, body: {text_format: gone}}]
        AmbassadorModuleConfig.ForwardClientCertDetails | forward_client_cert_details: SANITIZE_SET
        AmbassadorModuleConfig.SetCurrentClientCertDetails | set_current_client_cert_details: {subject: true}
        AmbassadorModuleConfig.Gzip | gzip: {}
        AmbassadorModuleConfig.HeaderCaseOverrides | header_case_overrides: [X-A]
        AmbassadorModuleConfig.HeadersWithUnderscoresAction | headers_with_underscores_action: DROP_HEADER
        AmbassadorModuleConfig.IpAllow | ip_allow: [{peer: 10.0.0.0/8}]
        AmbassadorModuleConfig.IpDeny | ip_deny: [{peer: 10.0.0.0/8}]
        AmbassadorModuleConfig.Keepalive | keepalive: {probes: 3}
        AmbassadorModuleConfig.ListenerIdleTimeoutMs | listener_idle_timeout_ms: 5
        AmbassadorModuleConfig.LivenessProbe | liveness_probe: {enabled: false}
        AmbassadorModuleConfig.ReadinessProbe | readiness_probe: {enabled: false}
        AmbassadorModuleConfig.LoadBalancer | resolver: kubernetes-endpoint, load_balancer: {policy: least_request} | resolver: kubernetes-endpoint
        AmbassadorModuleConfig.LuaScripts | lua_scripts: 'function envoy_on_request(h) end'
        AmbassadorModuleConfig.MaxRequestHeadersKb | max_request_headers_kb: 5
        AmbassadorModuleConfig.MergeSlashes | merge_slashes: true
        AmbassadorModuleConfig.PreserveExternalRequestId | preserve_external_request_id: true
        AmbassadorModuleConfig.ProperCase | proper_case: true
        AmbassadorModuleConfig.RegexMaxSize | regex_max_size: 300
        AmbassadorModuleConfig.RejectRequestsWithEscapedSlashes | reject_requests_with_escaped_slashes: true
        AmbassadorModuleConfig.Resolver | resolver: kubernetes-endpoint
        AmbassadorModuleConfig.RetryPolicy | retry_policy: {retry_on: 5xx}
        AmbassadorModuleConfig.RuntimeFlags | runtime_flags: {http.max_requests_per_io_cycle: 1}
        AmbassadorModuleConfig.ServerName | server_name: gateway
        AmbassadorModuleConfig.StripMatchingHostPort | strip_matching_host_port: true
        AmbassadorModuleConfig.SuppressEnvoyHeaders | suppress_envoy_headers: true
        AmbassadorModuleConfig.UseAmbassadorNamespaceForServiceResolution | use_ambassador_namespace_for_service_resolution: true
        AmbassadorModuleConfig.UseRemoteAddress | use_remote_address: false
        BufferConfig.MaxRequestBytes | buffer: {max_request_bytes: 6} | buffer: {max_request_bytes: 5}
        ModuleDefaults.General | defaults: {remove_request_headers: [x-a]}
        ModuleDefaults.HttpMapping | defaults: {httpmapping: {remove_request_headers: [x-a]}}
        ModuleDefaults.TlsSecretNamespacing | defaults: {tls_secret_namespacing: false}
        MappingDefaults.AddRequestHeaders | defaults: {add_request_headers: {x-a: {value: b}}}
        MappingDefaults.AddResponseHeaders | defaults: {add_response_headers: {x-a: {value: b}}}
        MappingDefaults.RemoveRequestHeaders | defaults: {remove_request_headers: [x-a]}
        MappingDefaults.RemoveResponseHeaders | defaults: {remove_response_headers: [x-a]}
        MappingDefaults.StatsName | defaults: {stats_name: stats}
        ProbeConfig.Enabled | liveness_probe: {enabled: false}
        ProbeConfig.Prefix | liveness_probe: {prefix: /alive}
        ProbeConfig.Rewrite | liveness_probe: {rewrite: /alive}
        ProbeConfig.Service | liveness_probe: {service: 'probe:80'}
        ProbeConfig.AllowNonLocal | diagnostics: {allow_non_local: true}
        GrpcStatsConfig.AllMethods | grpc_stats: {all_methods: true} | grpc_stats: {}
        GrpcStatsConfig.Services | grpc_stats: {services: [{name: s, method_names: [m]}]} | grpc_stats: {}
        GrpcStatsConfig.UpstreamStats | grpc_stats: {upstream_stats: true} | grpc_stats: {}
        GrpcStatsService.Name | grpc_stats: {services: [{name: t, method_names: [m]}]} | grpc_stats: {services: [{name: s, method_names: [m]}]}
        GrpcStatsService.MethodNames | grpc_stats: {services: [{name: s, method_names: [n]}]} | grpc_stats: {services: [{name: s, method_names: [m]}]}
        ClientCertDetails.Subject | set_current_client_cert_details: {subject: true} | set_current_client_cert_details: {}
        ClientCertDetails.Cert | set_current_client_cert_details: {cert: true} | set_current_client_cert_details: {}
        ClientCertDetails.Chain | set_current_client_cert_details: {chain: true} | set_current_client_cert_details: {}
        ClientCertDetails.Dns | set_current_client_cert_details: {dns: true} | set_current_client_cert_details: {}
        ClientCertDetails.Uri | set_current_client_cert_details: {uri: true} | set_current_client_cert_details: {}
        GzipConfig.MemoryLevel | gzip: {memory_level: 3} | gzip: {}
        GzipConfig.MinContentLength | gzip: {min_content_length: 3} | gzip: {}
        GzipConfig.CompressionLevel | gzip: {compression_level: BEST_SPEED} | gzip: {}
        GzipConfig.CompressionStrategy | gzip: {compression_strategy: FIXED} | gzip: {}
        GzipConfig.WindowBits | gzip: {window_bits: 10} | gzip: {}
        GzipConfig.ContentType | gzip: {content_type: [a/b]} | gzip: {}
        GzipConfig.DisableOnEtagHeader | gzip: {disable_on_etag_header: true} | gzip: {}
        GzipConfig.RemoveAcceptEncodingHeader | gzip: {remove_accept_encoding_header: true} | gzip: {}
        IpRule.Kind | ip_allow: [{remote: 10.0.0.0/8}] | ip_allow: [{peer: 10.0.0.0/8}]
        IpRule.Address | ip_allow: [{peer: 10.0.0.0/9}] | ip_allow: [{peer: 10.0.0.0/8}]
        """;

    public const string TlsModule = """
        TlsModuleConfig.Blocks | upstream: {secret: cert}
        TlsModuleBlock.Enabled | upstream: {secret: cert, enabled: false} | upstream: {secret: cert}
        TlsModuleBlock.Secret | upstream: {secret: cert} | upstream: {secret: nobody}
        TlsModuleBlock.CertChainFile | upstream: {cert_chain_file: /a, private_key_file: /b} | upstream: {private_key_file: /b}
        TlsModuleBlock.PrivateKeyFile | upstream: {private_key_file: /b} | upstream: {}
        TlsModuleBlock.CaSecret | upstream: {secret: cert, ca_secret: ca} | upstream: {secret: cert}
        TlsModuleBlock.CaCertChainFile | upstream: {secret: cert, cacert_chain_file: /a} | upstream: {secret: cert}
        TlsModuleBlock.AlpnProtocols | upstream: {secret: cert, alpn_protocols: h2} | upstream: {secret: cert}
        TlsModuleBlock.CertRequired | upstream: {secret: cert, ca_secret: ca, cert_required: true} | upstream: {secret: cert, ca_secret: ca}
        TlsModuleBlock.RedirectCleartextFrom | upstream: {secret: cert, redirect_cleartext_from: 8080} | upstream: {secret: cert}
        """;
}
