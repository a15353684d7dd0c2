using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tls;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Tests.Binding;

/// <summary>Messages on which fuzzing once made a binder fail: each is refused with a reason, or taken as far as it can be.</summary>
public class BinderRegressionTests
{
    [Theory]
    [InlineData("\"transport_socket_connect_timeout\":\"-3s\"", "filter_chains[0].transport_socket_connect_timeout")]
    [InlineData("\"transport_socket_connect_timeout\":\"315576000000s\"", null)]
    public void Listener_WithADurationThatIsNone_IsRefused(string field, string? path)
    {
        var errors = BindListener($$"""
            {"name":"l","address":{"socket_address":{"address":"127.0.0.1","port_value":1} },"filter_chains":[{ {{field}},"filters":[{"name":"tcp",
             "typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy","stat_prefix":"t","cluster":"c"} } ] } ] }
            """);

        errors.All.Select(error => error.FieldPath).ShouldBe(path is null ? [] : [path]);
    }

    [Fact]
    public void Listener_WithNegativeTimeouts_NamesEach()
    {
        var errors = BindListener("""
            {"name":"l","listener_filters_timeout":"-1s","address":{"socket_address":{"address":"127.0.0.1","port_value":1}},"filter_chains":[{"filters":[{"name":"tcp",
             "typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy","stat_prefix":"t","cluster":"c","idle_timeout":"-1s",
               "max_downstream_connection_duration":"-1s"}}]}]}
            """);

        errors.All.Select(error => error.FieldPath[(error.FieldPath.LastIndexOf('.') + 1)..]).Order()
            .ShouldBe(["idle_timeout", "listener_filters_timeout", "max_downstream_connection_duration"]);
    }

    [Fact]
    public void Cluster_WithAProtocolNameThatIsTooLong_IsRefused()
    {
        var name = new string('a', 256);
        XdsJson.TryParse<ClusterV3.Cluster>(
            $$"""
            {"name":"c","type":"STATIC","transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
              "common_tls_context":{"alpn_protocols":["{{name}}"]} } } }
            """,
            out var cluster,
            out _).ShouldBeTrue();
        var errors = new BindErrors();

        new ClusterBinder(new UpstreamTransports(new SecretTable(), TimeProvider.System).Bind).Bind(cluster!, errors).ShouldBeNull();

        errors.All.ShouldContain(error => error.FieldPath.EndsWith("alpn_protocols", StringComparison.Ordinal));
    }

    [Fact]
    public void AccessLog_WithAHeaderFilterOfNoHeader_IsRefused()
    {
        var errors = new BindErrors();

        AccessLogBinder.BindFilter(new Envoy.Config.Accesslog.V3.AccessLogFilter { HeaderFilter = new() }, "filter", errors).ShouldBeNull();

        errors.All.ShouldHaveSingleItem().FieldPath.ShouldBe("filter.header_filter.header.name");
    }

    [Fact]
    public async Task Timeouts_LongerThanAnyTimer_AreWaitedForAsLongAsOneCan()
    {
        var year = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromDays(365));
        var idle = ValueBinder.Duration(year, "", new BindErrors());
        var options = Http2OptionsBinder.Bind(new CoreV3.Http2ProtocolOptions { ConnectionKeepalive = new() { Interval = year, Timeout = year } }) with { IdleTimeout = idle, MaxConnectionDuration = idle };
        var (near, far) = Http.Http2.MemoryTransport.CreatePair();
        var connection = new Http2ServerConnection(near, Http.Http2.Http2ServerFixture.Info(), new Http.Http2.ScriptedProcessor(), options, TimeProvider.System);

        var run = connection.RunAsync(default);
        await far.ShutdownWriteAsync();

        await run.WaitAsync(Until.Limit);
        ValueBinder.Age(year).ShouldBe(TimeSpan.FromDays(365));
    }

    private static BindErrors BindListener(string json)
    {
        XdsJson.TryParse<ListenerV3.Listener>(json, out var listener, out var error).ShouldBeTrue(error?.ToString());
        using var upstreams = new Upstreams();
        using var timers = new Nuncio.DataPlane.Time.TimerService(TimeProvider.System);
        var logs = new AccessLogBinder(new AccessLogFiles(), null);
        var chains = new FilterChainBinder(
            static (_, _, _) => null,
            (message, path, errors) => TcpProxyBinder.Bind(message, path, logs, errors) is { } model
                ? new Nuncio.DataPlane.Tcp.TcpProxyFilterModel(model, upstreams.Table, timers, new MetricsRegistry())
                : null,
            new SecretTable(),
            new MetricsRegistry(),
            TimeProvider.System);
        var binder = new ListenerBinder(chains, logs);
        var errors = new BindErrors();
        binder.Bind(listener!, null, errors);
        return errors;
    }
}
