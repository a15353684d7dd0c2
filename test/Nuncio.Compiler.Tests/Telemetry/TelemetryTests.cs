using Envoy.Extensions.AccessLoggers.File.V3;
using Envoy.Extensions.AccessLoggers.Grpc.V3;

namespace Nuncio.Compiler.Tests.Telemetry;

public class TelemetryTests
{
    private static Compiled From(string manifests) => Compiled.From(Compiled.Listener() + manifests);

    [Fact]
    public void AccessLog_ByDefault_IsEmissarysLineOnStdout()
    {
        var log = From(Compiled.Quiet()).Manager("l", "http").AccessLog.Single().TypedConfig.Unpack<FileAccessLog>();
        log.Path.ShouldBe("/dev/fd/1");
        log.LogFormat.TextFormatSource.InlineString.ShouldStartWith("ACCESS [%START_TIME%] \"%REQ(:METHOD)% ");
        log.LogFormat.TextFormatSource.InlineString.ShouldEndWith("\"%UPSTREAM_HOST%\"\n");
    }

    [Theory]
    [InlineData("envoy_log_format: '%NO_SUCH_OPERATOR%'")]
    [InlineData("envoy_log_type: json, envoy_log_format: {a: '%REQ('}")]
    [InlineData("envoy_log_type: json, envoy_log_format: {a: true}")]
    [InlineData("envoy_log_type: json, envoy_log_format: text")]
    public void AccessLogFormat_ThatEnvoyWouldRefuse_IsAFindingAndTheDefault(string keys)
    {
        var compiled = From(Compiled.Quiet(keys));
        compiled.Codes.ShouldContain(FindingCodes.AccessLogFormatInvalid);
        compiled.Manager("l", "http").AccessLog.ShouldHaveSingleItem();
    }

    [Fact]
    public void LogService_WithoutDriverConfig_Works()
    {
        var compiled = From(Compiled.Quiet() + Compiled.Resource("LogService", "log", "{service: 'als:9000', driver: http, protocol_version: v3, grpc: true}"));
        var config = compiled.Manager("l", "http").AccessLog[0].TypedConfig.Unpack<HttpGrpcAccessLogConfig>();
        config.CommonConfig.LogName.ShouldBe("logservice");
        config.CommonConfig.BufferSizeBytes.ShouldBe(16384u);
        compiled.Snapshot.Clusters.ShouldContainKey(config.CommonConfig.GrpcService.EnvoyGrpc.ClusterName);
    }

    [Fact]
    public void TracingService_SetsProviderTagsAndSampling()
    {
        var compiled = From(Compiled.Quiet() + Compiled.Resource(
            "TracingService",
            "t",
            "{service: 'zipkin:9411', driver: zipkin, sampling: {overall: 10}, custom_tags: [{tag: a, literal: {value: b}}]}"));
        var tracing = compiled.Manager("l", "http").Tracing;
        tracing.Provider.Name.ShouldBe("envoy.tracers.zipkin");
        tracing.OverallSampling.Value.ShouldBe(10);
        tracing.CustomTags.Single().Literal.Value.ShouldBe("b");
        compiled.Snapshot.Listeners["l"].Message.TrafficDirection.ShouldBe(CoreV3.TrafficDirection.Outbound);
    }

    [Fact]
    public void TwoTracingServices_TraceNothing()
    {
        var one = Compiled.Resource("TracingService", "a", "{service: 'zipkin:9411', driver: zipkin}");
        var compiled = From(Compiled.Quiet() + one + one.Replace("name: a", "name: b", StringComparison.Ordinal));
        compiled.Codes.Count(code => code == FindingCodes.ServiceNotUnique).ShouldBe(2);
        compiled.Manager("l", "http").Tracing.ShouldBeNull();
    }
}
