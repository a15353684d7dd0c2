using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Tests.Upstream;

namespace Nuncio.DataPlane.Tests.Binding;

public class ClusterBinderTests
{
    [Fact]
    public void Bind_Defaults_AreEnvoys()
    {
        var model = Bind(Upstreams.Cluster("c", ("10.0.0.1", 80)), out _)!;
        model.StatName.ShouldBe("c");
        model.Connect.ConnectTimeout.ShouldBe(TimeSpan.FromSeconds(5));
        model.IdleTimeout.ShouldBe(TimeSpan.FromHours(1));
        model.CircuitBreakers[0].ShouldBe(new CircuitBreakerModel());
        model.Protocol.ShouldBe(UpstreamProtocol.Http1);
    }

    [Fact]
    public void Bind_FieldThatNobodyReads_IsAnErrorWithItsPath()
    {
        var message = Upstreams.Cluster("c", ("10.0.0.1", 80));
        message.UseTcpForDnsLookups = true;
        message.CommonHttpProtocolOptions = new CoreV3.HttpProtocolOptions
        {
            HeadersWithUnderscoresAction = CoreV3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction.DropHeader,
        };
        Bind(message, out var errors).ShouldBeNull();
        errors.ShouldBe(["use_tcp_for_dns_lookups", "common_http_protocol_options.headers_with_underscores_action"], ignoreOrder: true);
    }

    [Fact]
    public void Bind_NameInStaticCluster_IsAnError()
    {
        Bind(Upstreams.Cluster("c", ("some.name", 80)), out var errors).ShouldBeNull();
        errors.ShouldBe(["load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address"]);
    }

    [Fact]
    public void Bind_Http2Options_SpeaksHttp2()
    {
        var message = Upstreams.Cluster("c", ("10.0.0.1", 80));
        message.Http2ProtocolOptions = new CoreV3.Http2ProtocolOptions();
        Bind(message, out _)!.Protocol.ShouldBe(UpstreamProtocol.Http2);
    }

    [Theory]
    [InlineData("health", true)]
    [InlineData("/health", true)]
    [InlineData("", false)]
    [InlineData("/health HTTP/1.1\r\nx: y", false)]
    public void Bind_PathOfAHealthCheck_IsAnyTextWithoutLineBreaks(string path, bool isTaken)
    {
        var message = Upstreams.Cluster("c", ("10.0.0.1", 80));
        message.HealthChecks.Add(new CoreV3.HealthCheck
        {
            Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
            Interval = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
            HealthyThreshold = 1,
            UnhealthyThreshold = 1,
            HttpHealthCheck = new CoreV3.HealthCheck.Types.HttpHealthCheck { Path = path },
        });
        Bind(message, out var errors);
        errors.ShouldBe(isTaken ? [] : ["health_checks[0].http_health_check.path"]);
    }

    [Fact]
    public void Bind_ZeroConnectTimeout_IsAnError()
    {
        var message = Upstreams.Cluster("c", ("10.0.0.1", 80));
        message.ConnectTimeout = new Duration();
        Bind(message, out var errors).ShouldBeNull();
        errors.ShouldBe(["connect_timeout"]);
    }

    [Fact]
    public void Bind_IdleTimeoutZero_NeverCloses()
    {
        var message = Upstreams.Cluster("c", ("10.0.0.1", 80));
        message.CommonHttpProtocolOptions = new CoreV3.HttpProtocolOptions { IdleTimeout = new Duration() };
        Bind(message, out _)!.IdleTimeout.ShouldBeNull();
    }

    [Fact]
    public void Bind_SlowStart_IsTakenWithEnvoysDefaults()
    {
        var message = Upstreams.Cluster("c", ("10.0.0.1", 80));
        message.RoundRobinLbConfig = new() { SlowStartConfig = new() { SlowStartWindow = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)) } };
        Bind(message, out _)!.LoadBalancing.SlowStart.ShouldBe(new SlowStartModel(TimeSpan.FromSeconds(30), 1, 0.1));
    }

    [Fact]
    public void Bind_SlowStartOutOfRange_IsReported()
    {
        var message = Upstreams.Cluster("c", ("10.0.0.1", 80));
        message.LbPolicy = ClusterV3.Cluster.Types.LbPolicy.LeastRequest;
        message.LeastRequestLbConfig = new()
        {
            SlowStartConfig = new()
            {
                SlowStartWindow = new Duration { Seconds = -1 },
                MinWeightPercent = new() { Value = 101 },
                Aggression = new() { DefaultValue = -1 },
            },
        };
        Bind(message, out var errors).ShouldBeNull();
        errors.ShouldBe(
        [
            "least_request_lb_config.slow_start_config.slow_start_window",
            "least_request_lb_config.slow_start_config.min_weight_percent",
            "least_request_lb_config.slow_start_config.aggression",
        ]);
    }

    [Fact]
    public void Bind_AggressionThatCannotBe_IsOneAndReported()
    {
        var message = Upstreams.Cluster("c", ("10.0.0.1", 80));
        message.RoundRobinLbConfig = new()
        {
            SlowStartConfig = new() { SlowStartWindow = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)), Aggression = new() { DefaultValue = 0 } },
        };
        var model = Bind(message, out var errors)!;
        model.LoadBalancing.SlowStart!.Aggression.ShouldBe(1);
        errors.ShouldBe(["round_robin_lb_config.slow_start_config.aggression"]);
        model.Remarks.Count.ShouldBe(1);
    }

    private static ClusterModel? Bind(ClusterV3.Cluster message, out string[] paths)
    {
        var errors = new BindErrors();
        var model = new ClusterBinder((_, _, _) => null).Bind(message, errors);
        paths = [.. errors.All.Select(e => e.FieldPath)];
        return model;
    }
}
