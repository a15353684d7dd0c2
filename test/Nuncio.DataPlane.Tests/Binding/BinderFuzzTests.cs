using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.State;
using Nuncio.Testing.Fuzzing;
using Nuncio.Xds;
using Xunit.Abstractions;

namespace Nuncio.DataPlane.Tests.Binding;

/// <summary>
/// Messages with changed fields or bytes: a binder gives a model or errors with field paths, and never fails. See <see cref="FuzzSettings"/>.
/// </summary>
[Collection(FuzzCollection.Name)]
public sealed class BinderFuzzTests(ITestOutputHelper output)
{
    private const int InputsPerBinder = 500;

    private const string ClusterJson = """
        {"name":"c","type":"STRICT_DNS","connect_timeout":"1s","lb_policy":"RING_HASH","ring_hash_lb_config":{"minimum_ring_size":64},"dns_lookup_family":"V4_ONLY",
         "dns_refresh_rate":"5s","circuit_breakers":{"thresholds":[{"priority":"HIGH","max_connections":5,"retry_budget":{"budget_percent":{"value":20}}}]},
         "outlier_detection":{"consecutive_5xx":3,"interval":"1s"},
         "health_checks":[{"timeout":"1s","interval":"1s","unhealthy_threshold":2,"healthy_threshold":1,"http_health_check":{"path":"/h","host":"h"}}],
         "common_lb_config":{"healthy_panic_threshold":{"value":10}},"upstream_connection_options":{"tcp_keepalive":{"keepalive_time":5}},
         "transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext","sni":"a",
           "common_tls_context":{"alpn_protocols":["h2"],"tls_params":{"tls_minimum_protocol_version":"TLSv1_2"}}}},
         "load_assignment":{"cluster_name":"c","endpoints":[{"priority":1,"load_balancing_weight":3,"locality":{"zone":"z"},
           "lb_endpoints":[{"load_balancing_weight":2,"endpoint":{"address":{"socket_address":{"address":"a.example","port_value":80}}}}]}]}}
        """;

    private const string RoutesJson = """
        {"name":"r","virtual_hosts":[{"name":"h","domains":["a.example","*.b","*"],"require_tls":"ALL","virtual_clusters":[{"name":"v","headers":[{"name":":path","string_match":{"prefix":"/"}}]}],
          "retry_policy":{"retry_on":"5xx","num_retries":2,"per_try_timeout":"1s","retry_back_off":{"base_interval":"0.1s"}},
          "routes":[
           {"match":{"safe_regex":{"regex":"/a(b|c)+"},"headers":[{"name":"x","safe_regex_match":{"regex":".*"}},{"name":"y","range_match":{"start":1,"end":5}}]},
            "route":{"weighted_clusters":{"clusters":[{"name":"c","weight":1},{"name":"d","weight":2}]},"timeout":"3s","hash_policy":[{"cookie":{"name":"k","ttl":"5s"}}],
              "regex_rewrite":{"pattern":{"regex":"^/a"},"substitution":"/b"}},
            "request_headers_to_add":[{"header":{"key":"x","value":"%REQ(y)% %START_TIME(%s)%"}}]},
           {"match":{"prefix":"/","query_parameters":[{"name":"q","present_match":true}],"runtime_fraction":{"default_value":{"numerator":5}}},
            "route":{"cluster":"c","prefix_rewrite":"/x","host_rewrite_literal":"h","upgrade_configs":[{"upgrade_type":"websocket"}],"max_stream_duration":{"max_stream_duration":"1s"},
              "request_mirror_policies":[{"cluster":"m","runtime_fraction":{"default_value":{"numerator":1,"denominator":"TEN_THOUSAND"}}}]}},
           {"match":{"path":"/r"},"redirect":{"https_redirect":true,"port_redirect":8443,"response_code":"FOUND"}},
           {"match":{"path_separated_prefix":"/d"},"direct_response":{"status":404,"body":{"inline_string":"x"}}}]}]}
        """;

    private const string ListenerJson = """
        {"name":"l","address":{"socket_address":{"address":"127.0.0.1","port_value":0}},"listener_filters_timeout":"1s","tcp_backlog_size":100,
         "listener_filters":[{"name":"p","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"}},
           {"name":"t","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"}}],
         "filter_chains":[
          {"filter_chain_match":{"server_names":["a.example","*.b"],"transport_protocol":"tls","source_prefix_ranges":[{"address_prefix":"10.0.0.0","prefix_len":8}]},
           "transport_socket_connect_timeout":"3s",
           "filters":[{"name":"tcp","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy","stat_prefix":"t","cluster":"c","idle_timeout":"5s"}}]},
          {"filters":[{"name":"http","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager","stat_prefix":"s",
            "use_remote_address":true,"stream_idle_timeout":"5s","request_timeout":"5s","normalize_path":true,"path_with_escaped_slashes_action":"REJECT_REQUEST",
            "common_http_protocol_options":{"idle_timeout":"5s","max_headers_count":50,"headers_with_underscores_action":"REJECT_REQUEST"},
            "http_protocol_options":{"accept_http_10":true,"default_host_for_http_10":"x"},"http2_protocol_options":{"max_concurrent_streams":10},
            "local_reply_config":{"mappers":[{"filter":{"status_code_filter":{"comparison":{"op":"EQ","value":{"default_value":404,"runtime_key":"k"}}}},"status_code":410}]},
            "access_log":[{"name":"f","typed_config":{"@type":"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog","path":"/dev/null",
               "log_format":{"json_format":{"a":"%RESPONSE_CODE%","b":{"c":"%DURATION%"}}}}}],
            "internal_address_config":{"cidr_ranges":[{"address_prefix":"10.0.0.0","prefix_len":8}]},
            "route_config":{"virtual_hosts":[{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"}}]}]},
            "http_filters":[{"name":"b","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer","max_request_bytes":100}},
              {"name":"router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}]}]}
        """;

    [Fact]
    public void Bind_AnyCluster_GivesAModelOrErrors()
    {
        var binder = new ClusterBinder(new UpstreamTransports(new SecretTable(), TimeProvider.System).Bind);
        Run<ClusterV3.Cluster>(ClusterJson, () => (message, errors) => binder.Bind(message, errors) is not null);
    }

    [Fact]
    public void Bind_AnyRoutes_GivesAModelOrErrors() =>
        Run<RouteV3.RouteConfiguration>(RoutesJson, static () =>
        {
            var binder = new RouteConfigurationBinder(new HttpFilterCatalog([new BufferBinder(), new CorsBinder(), new RbacBinder()]));
            return (message, errors) => binder.Bind(message, "", errors) is not null;
        });

    [Fact]
    public async Task Bind_AnyListener_GivesAModelOrErrors()
    {
        using var upstreams = new Upstreams();
        using var timers = new TimerService(TimeProvider.System);
        var bindings = new List<HttpBinding>();
        Run<ListenerV3.Listener>(ListenerJson, () =>
        {
            var http = new HttpBinding(upstreams.Table, new RouteConfigurationTable(), timers, new MetricsRegistry(), NullLoggerFactory.Instance);
            bindings.Add(http);
            var chains = new FilterChainBinder(
                http.BindConnectionManager,
                (message, path, errors) => TcpProxyBinder.Bind(message, path, http.AccessLogs, errors) is { } model
                    ? new Nuncio.DataPlane.Tcp.TcpProxyFilterModel(model, upstreams.Table, timers, new MetricsRegistry()) : null,
                new SecretTable(),
                new MetricsRegistry(),
                TimeProvider.System);
            var binder = new ListenerBinder(chains, http.AccessLogs);
            return (message, errors) => binder.Bind(message, null, errors) is not null;
        });
        foreach (var binding in bindings) await binding.DisposeAsync();
    }

    private void Run<T>(string json, Func<Func<T, BindErrors, bool>> create)
        where T : class, IMessage<T>, new()
    {
        XdsJson.TryParse<T>(json, out var whole, out var error).ShouldBeTrue(error?.ToString());
        var bytes = whole!.ToByteArray();
        var parser = new MessageParser<T>(static () => new T());
        var bind = create();
        var clean = new BindErrors();
        bind(whole, clean).ShouldBeTrue(string.Join('\n', clean.All));
        var inputs = FuzzSettings.Inputs(3_000);
        var parsed = 0;
        var bound = 0;
        for (var i = 0; i < inputs; i++)
        {
            if (i % InputsPerBinder == 0) bind = create();
            var random = new Random(FuzzSettings.Seed + i);
            T message;
            try
            {
                // One in eight has its bytes changed, of which few can be parsed again; the others their fields.
                message = parser.ParseFrom(random.Next(8) == 0 ? Mutations.Apply(random, bytes, 4) : bytes);
                if (random.Next(8) > 0) MessageMutations.Apply(random, message, 6);
            }
            catch (Exception e) when (AnyReading.IsUnreadable(e))
            {
                continue;
            }

            parsed++;
            try
            {
                var errors = new BindErrors();
                var done = bind(message, errors);
                bound += done ? 1 : 0;
                if (!done) errors.Any.ShouldBeTrue("refused without a reason");
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {FuzzSettings.Seed + i} failed with {e.GetType().Name} on {message}", e);
            }
        }

        output.WriteLine($"{inputs} messages, {parsed} parsed, {bound} bound");
    }
}
