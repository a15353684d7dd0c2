using Nuncio.Resources.Collections;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Modules;
using Nuncio.Resources.Reading.Conversion;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading.Kinds;

/// <summary>
/// Reads the untyped <c>config</c> of the Modules <c>ambassador</c> and <c>tls</c>. A key that cannot be used is a finding and does not make the
/// Module invalid.
/// </summary>
internal static class ModuleReader
{
    // Accepted by Emissary and without effect there since version 2 (spec section 4.5).
    private static readonly string[] KeysWithoutEffect =
    [
        "auth_enabled", "debug_mode", "prune_unreachable_routes", "regex_type", "service_port", "diag_port", "use_proxy_proto",
        "x_forwarded_proto_redirect", "xff_num_trusted_hops", "statsd", "envoy_validation_timeout",
    ];

    public static AmbassadorModuleConfig Ambassador(ObjectReader reader)
    {
        var r = new KeyReader(reader);
        foreach (var key in KeysWithoutEffect)
            r.WithoutEffect(key);
        if (reader.Find("tls") is { } tls)
            reader.Remark(FindingCodes.FieldWithoutEffect, FindingLevel.Error, tls, "tls", "has no effect here; use a TLSContext");
        var logFormat = reader.Find("envoy_log_format");
        if (logFormat is not (null or MapNode or ScalarNode { Kind: ScalarKind.Text }))
            r.Key("envoy_log_format", o => Reject(o, logFormat, "envoy_log_format", "text or an object"));

        return new AmbassadorModuleConfig
        {
            AddLinkerdHeaders = r.Boolean("add_linkerd_headers"),
            AdminPort = (int?)r.Integer("admin_port", 1, 65535),
            AllowChunkedLength = r.Boolean("allow_chunked_length"),
            Buffer = r.Object("buffer", static b =>
            {
                if (b.Find("max_request_time") is { } time)
                    b.Remark(FindingCodes.FieldWithoutEffect, FindingLevel.Notice, time, "max_request_time", "has no effect");
                return new BufferConfig(b.Integer("max_request_bytes", 0));
            }),
            BufferLimitBytes = r.Integer("buffer_limit_bytes", 0),
            CircuitBreakers = r.Key("circuit_breakers", static o => o.ObjectList("circuit_breakers", TrafficReader.CircuitBreaker)),
            ClusterIdleTimeoutMs = r.Integer("cluster_idle_timeout_ms"),
            ClusterMaxConnectionLifetimeMs = r.Integer("cluster_max_connection_lifetime_ms"),
            ClusterRequestTimeoutMs = r.Integer("cluster_request_timeout_ms"),
            Cors = r.Object("cors", Cors),
            DefaultLabelDomain = r.Text("default_label_domain"),
            DefaultLabels = r.Key("default_labels", static o => o.ObjectMap("default_labels", static d => d.List("defaults", LabelSpecifier))),
            Defaults = r.Object("defaults", Defaults),
            Diagnostics = r.Object("diagnostics", Probe),
            EnableGrpcHttp11Bridge = r.Boolean("enable_grpc_http11_bridge"),
            EnableGrpcWeb = r.Boolean("enable_grpc_web"),
            GrpcStats = r.Object("grpc_stats", static g => new GrpcStatsConfig
            {
                AllMethods = g.Boolean("all_methods"),
                Services = g.ObjectList("services", static s => new GrpcStatsService(s.Text("name"), s.TextList("method_names"))),
                UpstreamStats = g.Boolean("upstream_stats"),
            }),
            EnableHttp10 = r.Boolean("enable_http10"),
            EnableIPv4 = r.Boolean("enable_ipv4"),
            EnableIPv6 = r.Boolean("enable_ipv6"),
            EnvoyLogType = r.Key("envoy_log_type", static o => o.TextOf("envoy_log_type", "text", "json", "typed_json")),
            EnvoyLogPath = r.Text("envoy_log_path"),
            EnvoyLogTextFormat = logFormat is ScalarNode { Kind: ScalarKind.Text } text ? text.Text : null,
            EnvoyLogJsonFormat = logFormat is MapNode format ? JsonWriter.Write(format) : null,
            ErrorResponseOverrides = r.Key(
                "error_response_overrides", static o => o.ObjectList("error_response_overrides", TrafficReader.ErrorResponseOverride, minItems: 1)),
            ForwardClientCertDetails = r.Text("forward_client_cert_details"),
            SetCurrentClientCertDetails = r.Object("set_current_client_cert_details", static c => new ClientCertDetails(
                c.Boolean("subject"), c.Boolean("cert"), c.Boolean("chain"), c.Boolean("dns"), c.Boolean("uri"))),
            Gzip = r.Object("gzip", Gzip),
            HeaderCaseOverrides = r.Key("header_case_overrides", static o => o.TextList("header_case_overrides")),
            HeadersWithUnderscoresAction = r.Text("headers_with_underscores_action"),
            IpAllow = r.Key("ip_allow", static o => o.List("ip_allow", IpRule)),
            IpDeny = r.Key("ip_deny", static o => o.List("ip_deny", IpRule)),
            Keepalive = r.Object("keepalive", TrafficReader.Keepalive),
            ListenerIdleTimeoutMs = r.Integer("listener_idle_timeout_ms"),
            LivenessProbe = r.Object("liveness_probe", Probe),
            ReadinessProbe = r.Object("readiness_probe", Probe),
            LoadBalancer = r.Object("load_balancer", TrafficReader.LoadBalancer),
            LuaScripts = r.Text("lua_scripts"),
            MaxRequestHeadersKb = r.Integer("max_request_headers_kb"),
            MergeSlashes = r.Boolean("merge_slashes"),
            PreserveExternalRequestId = r.Boolean("preserve_external_request_id"),
            ProperCase = r.Boolean("proper_case"),
            RegexMaxSize = r.Integer("regex_max_size"),
            RejectRequestsWithEscapedSlashes = r.Boolean("reject_requests_with_escaped_slashes"),
            Resolver = r.Text("resolver"),
            RetryPolicy = r.Object("retry_policy", TrafficReader.RetryPolicy),
            RuntimeFlags = r.Key("runtime_flags", static o => o.ValueMapOf("runtime_flags", static (_, node, _) => JsonWriter.Write(node))),
            ServerName = r.Text("server_name"),
            StripMatchingHostPort = r.Boolean("strip_matching_host_port"),
            SuppressEnvoyHeaders = r.Boolean("suppress_envoy_headers"),
            UseAmbassadorNamespaceForServiceResolution = r.Boolean("use_ambassador_namespace_for_service_resolution"),
            UseRemoteAddress = r.Boolean("use_remote_address"),
            InvalidKeys = r.InvalidKeys(),
        };
    }

    public static TlsModuleConfig Tls(ObjectReader reader)
    {
        var blocks = new List<KeyValuePair<string, TlsModuleBlock>>();
        foreach (var entry in reader.Map.Entries)
        {
            if (reader.Object(entry.Key.Text, TlsBlock) is { } block)
                blocks.Add(new KeyValuePair<string, TlsModuleBlock>(entry.Key.Text, block));
        }

        return new TlsModuleConfig(ValueMap.Create(blocks));
    }

    // Specifiers of defaults are met in the form of v2, too.
    private static LabelSpecifier? LabelSpecifier(ObjectReader owner, Node node, string path) =>
        TrafficReader.LabelSpecifier(owner, LabelSpecifierConversion.Convert(node), path);

    private static TlsModuleBlock TlsBlock(ObjectReader r) => new()
    {
        Enabled = r.Boolean("enabled"),
        Secret = r.Text("secret"),
        CertChainFile = r.Text("cert_chain_file"),
        PrivateKeyFile = r.Text("private_key_file"),
        CaSecret = r.Text("ca_secret"),
        CaCertChainFile = r.Text("cacert_chain_file"),
        AlpnProtocols = r.Text("alpn_protocols"),
        CertRequired = r.Boolean("cert_required"),
        RedirectCleartextFrom = r.Int32("redirect_cleartext_from"),
    };

    private static ModuleDefaults Defaults(ObjectReader r) => new()
    {
        TlsSecretNamespacing = r.Boolean("tls_secret_namespacing"),
        HttpMapping = r.Object("httpmapping", static h => MappingDefaults(h)) ?? Modules.MappingDefaults.Empty,
        General = MappingDefaults(r),
    };

    private static MappingDefaults MappingDefaults(ObjectReader r) => new()
    {
        AddRequestHeaders = r.ValueMapOf("add_request_headers", AddedHeader),
        AddResponseHeaders = r.ValueMapOf("add_response_headers", AddedHeader),
        RemoveRequestHeaders = r.TextOrTextList("remove_request_headers"),
        RemoveResponseHeaders = r.TextOrTextList("remove_response_headers"),
        StatsName = r.Text("stats_name"),
    };

    // No schema stands before a Module, so the short form that a Mapping had in v2 is still met here.
    private static AddedHeader? AddedHeader(ObjectReader owner, Node node, string path) => node is ScalarNode { Kind: ScalarKind.Text } text
        ? new AddedHeader(text.Text, null)
        : owner.ToObject(node, path, -1, TrafficReader.AddedHeader);

    private static CorsConfig Cors(ObjectReader r) => new()
    {
        Origins = CommaList(r, "origins"),
        Methods = CommaList(r, "methods"),
        Headers = CommaList(r, "headers"),
        ExposedHeaders = CommaList(r, "exposed_headers"),
        Credentials = r.Boolean("credentials"),
        MaxAge = r.Find("max_age") is { } node
            ? node is ScalarNode { Kind: ScalarKind.Integer } number ? number.Text : r.ToText(node, "max_age")
            : null,
    };

    private static ValueList<string>? CommaList(ObjectReader r, string name) => r.TextOrTextList(name) is { } list
        ? list.Count == 1 ? list[0].Split(',', StringSplitOptions.TrimEntries).ToValueList() : list
        : null;

    private static ProbeConfig Probe(ObjectReader r) => new()
    {
        Enabled = r.Boolean("enabled"),
        Prefix = r.Text("prefix"),
        Rewrite = r.Text("rewrite"),
        Service = r.Text("service"),
        AllowNonLocal = r.Boolean("allow_non_local"),
    };

    private static GzipConfig Gzip(ObjectReader r)
    {
        r.Ignore("enabled");
        return new GzipConfig
        {
            MemoryLevel = r.Integer("memory_level"),
            MinContentLength = r.Integer("min_content_length"),
            CompressionLevel = r.Text("compression_level"),
            CompressionStrategy = r.Text("compression_strategy"),
            WindowBits = r.Integer("window_bits"),
            ContentType = r.TextList("content_type"),
            DisableOnEtagHeader = r.Boolean("disable_on_etag_header"),
            RemoveAcceptEncodingHeader = r.Boolean("remove_accept_encoding_header"),
        };
    }

    private static IpRule IpRule(ObjectReader owner, Node node, string path)
    {
        if (node is MapNode { Entries: [{ Key.Text: "peer" or "remote", Value: ScalarNode { Kind: ScalarKind.Text } address } entry] })
            return new IpRule(entry.Key.Text == "peer" ? IpRuleKind.Peer : IpRuleKind.Remote, address.Text);
        // One bad entry does not spoil the list: it matches nothing, and the others count.
        owner.Remark(
            FindingCodes.ValueNotAllowed, FindingLevel.Error, node, path,
            "must be an object with the one name 'peer' or 'remote' and an address or CIDR block");
        return new IpRule(IpRuleKind.Invalid, "");
    }

    private static string? Reject(ObjectReader reader, Node node, string name, string expected)
    {
        reader.WrongType(node, name, expected);
        return null;
    }

    /// <summary>Reads one top-level key at a time and remembers those that cannot be used.</summary>
    private sealed class KeyReader(ObjectReader reader)
    {
        private readonly List<string> _invalid = [];

        public ValueList<string> InvalidKeys() => _invalid.ToValueList();

        public bool? Boolean(string key) => Key(key, o => o.Boolean(key));

        public long? Integer(string key, long min = long.MinValue, long max = long.MaxValue) => Key(key, o => o.Integer(key, min, max));

        public string? Text(string key) => Key(key, o => o.Text(key));

        public T? Object<T>(string key, Func<ObjectReader, T?> read)
            where T : class =>
            Key(key, o => o.Object(key, read));

        public T? Key<T>(string key, Func<ObjectReader, T?> read)
        {
            var wasInvalid = reader.Scope.IsInvalid;
            reader.Scope.IsInvalid = false;
            var value = read(reader);
            if (reader.Scope.IsInvalid)
            {
                _invalid.Add(key);
                value = default;
            }

            reader.Scope.IsInvalid = wasInvalid;
            return value;
        }

        public void WithoutEffect(string key)
        {
            if (reader.Find(key) is { } node)
                reader.Remark(FindingCodes.FieldWithoutEffect, FindingLevel.Notice, node, key, "has no effect");
        }
    }
}
