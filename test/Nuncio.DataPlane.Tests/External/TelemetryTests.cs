using System.Collections.Concurrent;
using System.Text.Json;
using Envoy.Config.Trace.V3;
using Envoy.Data.Accesslog.V3;
using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Envoy.Service.Accesslog.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Grpc;
using Nuncio.Grpc.Server;
using Nuncio.Testing.Backends;
using TracingMessage = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.Tracing;

namespace Nuncio.DataPlane.Tests.External;

/// <summary>What leaves the proxy for log and tracing services, and what upstreams learn of traces.</summary>
public sealed class TelemetryTests : IAsyncDisposable
{
    private static readonly GrpcMethod<StreamAccessLogsMessage, StreamAccessLogsResponse> StreamAccessLogs =
        new("envoy.service.accesslog.v3.AccessLogService", "StreamAccessLogs");

    private static readonly DataPlane.Telemetry.MetricLabels HttpLabels = DataPlane.Telemetry.MetricLabels.Of("envoy_http_conn_manager_prefix", "test");

    private readonly ProxyFixture _proxy = new();

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    [Fact]
    public async Task GrpcLog_OfRequests_ArrivesWithItsNameOnce()
    {
        var got = new BlockingCollection<StreamAccessLogsMessage>();
        await StartLogAsync(got, new HttpGrpcAccessLogConfig
        {
            CommonConfig = Common("first"),
            AdditionalRequestHeadersToLog = { "X-Tenant" },
            AdditionalResponseHeadersToLog = { "content-length" },
        });

        await _proxy.SendAsync("POST", "/a?b", "x-tenant: t1\r\n", "hello");
        var first = await NextAsync(got);
        await _proxy.SendAsync();
        var second = await NextAsync(got);

        first.Identifier.LogName.ShouldBe("first");
        second.Identifier.ShouldBeNull();
        var entry = first.HttpLogs.LogEntry.ShouldHaveSingleItem();
        entry.Request.Path.ShouldBe("/a?b");
        entry.Request.RequestMethod.ShouldBe(CoreV3.RequestMethod.Post);
        entry.Request.RequestBodyBytes.ShouldBe(5UL);
        entry.Request.RequestHeaders["x-tenant"].ShouldBe("t1");
        entry.Response.ResponseCode.ShouldBe(200u);
        entry.Response.ResponseHeaders.ShouldContainKey("content-length");
        entry.Response.ResponseCodeDetails.ShouldBe("via_upstream");
        entry.ProtocolVersion.ShouldBe(HTTPAccessLogEntry.Types.HTTPVersion.Http11);
        entry.CommonProperties.UpstreamCluster.ShouldBe("backend");
        entry.CommonProperties.ResponseFlags.ShouldBeNull();
    }

    [Fact]
    public async Task GrpcLogsAndTracers_OfOldConfigurations_EndWithTheirRequests()
    {
        const int Reloads = 50;
        var open = 0;
        var entries = new ConcurrentDictionary<string, int>();
        await _proxy.AddGrpcAsync("logs", new GrpcServiceTable().Duplex(StreamAccessLogs, async (requests, _, _) =>
        {
            Interlocked.Increment(ref open);
            try
            {
                var name = "";
                await foreach (var message in requests.ReadAllAsync())
                {
                    name = message.Identifier?.LogName ?? name;
                    entries.AddOrUpdate(name, message.HttpLogs.LogEntry.Count, (_, count) => count + message.HttpLogs.LogEntry.Count);
                }
            }
            finally
            {
                Interlocked.Decrement(ref open);
            }
        }));
        Collector();

        WireClient? slow = null;
        for (var i = 0; i < Reloads; i++)
        {
            _proxy.Manager.AccessLog.Clear();
            _proxy.Manager.AccessLog.Add(new AccessLogV3.AccessLog
            {
                Name = "log",
                TypedConfig = Any.Pack(new HttpGrpcAccessLogConfig { CommonConfig = Common($"log-{i}") }),
            });
            await TraceAsync(new DatadogConfig { CollectorCluster = "collector", ServiceName = $"edge-{i}" });
            if (i == 0)
            {
                // The configuration that it began with is long gone when it ends.
                slow = await WireClient.ConnectAsync(_proxy.Port);
                await slow.Wire.WriteAsync("POST /slow HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\n\r\nhe");
                await Until.TrueAsync(() => _proxy.Metrics.Find("envoy_http_downstream_rq_active", HttpLabels) == 1);
            }

            await _proxy.SendAsync();
            await Until.TrueAsync(() => entries.ContainsKey($"log-{i}"), () => $"{i}, {State()}");
        }

        _proxy.Services.ShouldBe((1, 1));
        await Until.TrueAsync(() => entries.Count == Reloads && entries.Values.Sum() == Reloads, State);
        await Until.TrueAsync(() => Volatile.Read(ref open) <= 1, State);
        await slow!.Wire.WriteAsync("llo");
        (await slow.Wire.ReadResponseAsync("POST")).Status.ShouldBe(200);
        await slow.DisposeAsync();
        await Until.TrueAsync(() => entries["log-0"] == 2, State);
        await Until.TrueAsync(() => Volatile.Read(ref open) <= 1, State);

        string State() =>
            $"{entries.Count} logs, {open} streams, dropped {_proxy.Metrics.Find("envoy_access_logs_grpc_access_log_logs_dropped", DataPlane.Telemetry.MetricLabels.None)}"
            + $", written {_proxy.Metrics.Find("envoy_access_logs_grpc_access_log_logs_written", DataPlane.Telemetry.MetricLabels.None)}";
    }

    [Fact]
    public async Task GrpcLog_OfTcp_HasEntriesOfConnections()
    {
        var got = new BlockingCollection<StreamAccessLogsMessage>();
        await StartLogAsync(got, new TcpGrpcAccessLogConfig { CommonConfig = Common("tcp") });

        await _proxy.SendAsync("POST", body: "hello");

        (await NextAsync(got)).TcpLogs.LogEntry.ShouldHaveSingleItem().ConnectionProperties.ReceivedBytes.ShouldBe(5UL);
    }

    [Fact]
    public async Task Zipkin_OfANewTrace_TellsTheUpstreamAndTheCollector()
    {
        var collector = Collector();
        await TraceAsync(new ZipkinConfig
        {
            CollectorCluster = "collector",
            CollectorEndpoint = "/api/v2/spans",
            CollectorEndpointVersion = ZipkinConfig.Types.CollectorEndpointVersion.HttpJson,
            TraceId128Bit = true,
        });

        // Two spans each: the third request fills a report.
        BackendRequest seen, report;
        JsonElement[] spans;
        // Where the machine is so busy that the time of a report comes before it is full, the next one is looked at.
        for (var tries = 0; ; tries++)
        {
            for (var i = 0; i < 3; i++) await _proxy.SendAsync(target: "/x?y=1", headers: "x-tenant: t1\r\n");
            report = await NextAsync(collector);
            using var json = JsonDocument.Parse(report.Body);
            spans = [.. json.RootElement.EnumerateArray().Select(span => span.Clone())];
            var whole = spans.GroupBy(span => span.GetProperty("traceId").GetString())
                .Where(trace => trace.Count() == 2).Select(trace => trace.Key).ToHashSet();
            if (_proxy.Backend.Requests.FirstOrDefault(request => whole.Contains(request["x-b3-traceid"])) is { } traced && (spans.Length >= 5 || tries == 20))
            {
                seen = traced;
                break;
            }
        }

        seen["x-b3-traceid"]!.Length.ShouldBe(32);
        seen["x-b3-sampled"].ShouldBe("1");
        seen["x-request-id"]![14].ShouldBe('9');
        report.Target.ShouldBe("/api/v2/spans");
        report["content-type"].ShouldBe("application/json");
        spans.Length.ShouldBeGreaterThanOrEqualTo(5);
        var server = spans.First(span => span.GetProperty("kind").GetString() == "SERVER" && span.GetProperty("traceId").GetString() == seen["x-b3-traceid"]);
        var client = spans.First(span => span.GetProperty("kind").GetString() == "CLIENT" && span.GetProperty("traceId").GetString() == seen["x-b3-traceid"]);
        client.GetProperty("id").GetString().ShouldBe(seen["x-b3-spanid"]);
        client.GetProperty("parentId").GetString().ShouldBe(server.GetProperty("id").GetString());
        server.GetProperty("id").GetString().ShouldBe(seen["x-b3-parentspanid"]);
        client.GetProperty("name").GetString().ShouldBe("router backend egress");
        var tags = server.GetProperty("tags");
        tags.GetProperty("http.status_code").GetString().ShouldBe("200");
        tags.GetProperty("http.url").GetString().ShouldBe("http://a.example/x?y=1");
        tags.GetProperty("component").GetString().ShouldBe("proxy");
        tags.GetProperty("tenant").GetString().ShouldBe("t1");
    }

    [Theory]
    [InlineData("x-b3-traceid: 463ac35c9f6413ad48485a3953bb6124\r\nx-b3-spanid: a2fb4a1d1a96d312\r\nx-b3-sampled: 0\r\n", "0")]
    [InlineData("b3: 463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1\r\n", "1")]
    public async Task Zipkin_OfATraceThatRuns_ContinuesItAsDecided(string headers, string sampled)
    {
        Collector();
        await TraceAsync(new ZipkinConfig
        {
            CollectorCluster = "collector",
            CollectorEndpoint = "/api/v2/spans",
            CollectorEndpointVersion = ZipkinConfig.Types.CollectorEndpointVersion.HttpProto,
        });

        await _proxy.SendAsync(headers: headers);

        var seen = _proxy.Backend.Requests.ShouldHaveSingleItem();
        seen["x-b3-traceid"].ShouldBe("463ac35c9f6413ad48485a3953bb6124");
        seen["x-b3-parentspanid"].ShouldBe("a2fb4a1d1a96d312");
        seen["x-b3-sampled"].ShouldBe(sampled);
    }

    [Theory]
    [InlineData("", '4')]
    [InlineData("x-client-trace-id: c1\r\n", 'b')]
    public async Task Sampling_OfNone_LeavesOnlyWhatAClientAsksFor(string headers, char reason)
    {
        Collector();
        _proxy.Manager.Tracing = new TracingMessage { RandomSampling = new Envoy.Type.V3.Percent { Value = 0 } };
        await TraceAsync(new DatadogConfig { CollectorCluster = "collector", ServiceName = "edge" });

        await _proxy.SendAsync(headers: headers);

        var seen = _proxy.Backend.Requests.ShouldHaveSingleItem();
        seen["x-request-id"]![14].ShouldBe(reason);
        seen["x-datadog-sampling-priority"].ShouldBe(reason == '4' ? "0" : "1");
        ulong.Parse(seen["x-datadog-trace-id"]!).ShouldBeGreaterThan(0UL);
    }

    [Fact]
    public async Task OpenTelemetry_OverGrpc_ContinuesTheTraceAndExportsSpans()
    {
        var got = new BlockingCollection<byte[]>();
        await _proxy.AddGrpcAsync("collector", new GrpcServiceTable().Unary(
            new GrpcMethod<Empty, Empty>("opentelemetry.proto.collector.trace.v1.TraceService", "Export"),
            (request, _) =>
            {
                got.Add(request.ToByteArray());
                return ValueTask.FromResult(new Empty());
            }));
        await TraceAsync(new OpenTelemetryConfig { GrpcService = ProxyFixture.Service("collector"), ServiceName = "edge" });

        const string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (var i = 0; i < 3; i++) await _proxy.SendAsync(headers: $"traceparent: 00-{trace}-00f067aa0ba902b7-01\r\ntracestate: a=b\r\n");

        var seen = _proxy.Backend.Requests.First();
        seen["traceparent"]!.ShouldStartWith($"00-{trace}-");
        seen["traceparent"]!.ShouldEndWith("-01");
        seen["traceparent"]!.ShouldNotContain("00f067aa0ba902b7");
        seen["tracestate"].ShouldBe("a=b");
        var export = await NextAsync(got);
        export.AsSpan().IndexOf(Convert.FromHexString(trace)).ShouldBeGreaterThan(0);
        export.AsSpan().IndexOf("service.name"u8).ShouldBeGreaterThan(0);
        export.AsSpan().IndexOf("edge"u8).ShouldBeGreaterThan(0);
    }

    private static CommonGrpcAccessLogConfig Common(string name) => new()
    {
        LogName = name,
        GrpcService = ProxyFixture.Service("logs"),
        TransportApiVersion = CoreV3.ApiVersion.V3,
        BufferSizeBytes = 0,
    };

    private static Task<T> NextAsync<T>(BlockingCollection<T> from) =>
        Task.Run(() => from.TryTake(out var item, Until.Limit) ? item : throw new TimeoutException($"no {typeof(T).Name} came"));

    private BlockingCollection<BackendRequest> Collector()
    {
        var reports = new BlockingCollection<BackendRequest>();
        _proxy.AddHttp("collector", request =>
        {
            reports.Add(request);
            return Responses.With(202);
        });
        return reports;
    }

    private async Task StartLogAsync(BlockingCollection<StreamAccessLogsMessage> got, IMessage config)
    {
        await _proxy.AddGrpcAsync("logs", new GrpcServiceTable().Duplex(StreamAccessLogs, async (requests, _, _) =>
        {
            await foreach (var message in requests.ReadAllAsync()) got.Add(message);
        }));
        _proxy.Manager.AccessLog.Add(new AccessLogV3.AccessLog { Name = "log", TypedConfig = Any.Pack(config) });
        await _proxy.StartAsync();
    }

    private Task TraceAsync(IMessage provider)
    {
        _proxy.Router.StartChildSpan = true;
        _proxy.Manager.Tracing ??= new TracingMessage();
        _proxy.Manager.Tracing.Provider = new Envoy.Config.Trace.V3.Tracing.Types.Http { Name = "tracer", TypedConfig = Any.Pack(provider) };
        _proxy.Manager.Tracing.CustomTags.Add(new Envoy.Type.Tracing.V3.CustomTag { Tag = "tenant", RequestHeader = new() { Name = "x-tenant", DefaultValue = "none" } });
        return _proxy.StartAsync();
    }
}
