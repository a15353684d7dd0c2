using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Service.Accesslog.V3;
using Envoy.Service.Auth.V3;
using Envoy.Service.Ratelimit.V3;
using Envoy.Type.V3;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.Grpc;
using Nuncio.Grpc.Server;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Traffic;

/// <summary>Services that a gateway asks or tells, as manifests name them: each a gRPC server of the test.</summary>
public sealed class ExternalServiceTests : IAsyncLifetime
{
    private readonly WireBackend _backend = WireBackend.StartEcho();
    private readonly BlockingCollection<StreamAccessLogsMessage> _logs = [];
    private GrpcServer _services = null!;

    public async Task InitializeAsync()
    {
        var table = new GrpcServiceTable()
            .Unary(new GrpcMethod<CheckRequest, CheckResponse>(
                "envoy.service.auth.v3.Authorization", "Check"), (request, _) => ValueTask.FromResult(Check(request)))
            .Unary(
                new GrpcMethod<RateLimitRequest, RateLimitResponse>("envoy.service.ratelimit.v3.RateLimitService", "ShouldRateLimit"),
                (request, _) => ValueTask.FromResult(Limit(request)))
            .Duplex(
                new GrpcMethod<StreamAccessLogsMessage, StreamAccessLogsResponse>("envoy.service.accesslog.v3.AccessLogService", "StreamAccessLogs"),
                async (requests, _, _) =>
                {
                    await foreach (var message in requests.ReadAllAsync()) _logs.Add(message);
                });
        _services = await GrpcServer.StartAsync(new GrpcServerOptions { Address = new IPEndPoint(IPAddress.Loopback, 0) }, table, NullLoggerFactory.Instance);
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        await _backend.DisposeAsync();
        _logs.Dispose();
    }

    [Fact]
    public async Task AuthService_OverGrpc_DecidesAboutEachRequest()
    {
        await using var gateway = await RunningGateway.StartAsync(
            Service("AuthService", "auth_service", "proto: grpc", "protocol_version: v3", "timeout_ms: 30000")
            + Manifests.Mapping("a", "/a/", _backend.Port, "auth_context_extensions: { tier: gold }")
            + Manifests.Mapping("open", "/open/", _backend.Port, "bypass_auth: true"));

        var allowed = await gateway.SendAsync("GET", "/a/b", headers: "x-user: forged\r\n");
        var refused = await gateway.SendAsync("GET", "/a/b", headers: "authorization: wrong\r\n");
        var open = await gateway.SendAsync("GET", "/open/", headers: "authorization: wrong\r\n");

        allowed.Status.ShouldBe(200);
        allowed.BodyText.ShouldContain("x-user: gold\n");
        refused.Status.ShouldBe(401);
        refused.BodyText.ShouldBe("not you");
        refused["www-authenticate"].ShouldBe("Test");
        open.Status.ShouldBe(200);
    }

    [Fact]
    public async Task RateLimitService_OverItsLimit_Refuses()
    {
        await using var gateway = await RunningGateway.StartAsync(
            Service("RateLimitService", "service", "protocol_version: v3", "timeout_ms: 30000")
            + Manifests.Mapping(
                "a", "/a/", _backend.Port, "labels: { ambassador: [ { user: [ { request_headers: { key: user, header_name: x-user } } ] } ] }"));

        (await gateway.SendAsync("GET", "/a/", headers: "x-user: ann\r\n")).Status.ShouldBe(200);
        var limited = await gateway.SendAsync("GET", "/a/", headers: "x-user: over\r\n");

        limited.Status.ShouldBe(429);
        limited["x-envoy-ratelimited"].ShouldBe("true");
        limited["x-limited-by"].ShouldBe("test");
    }

    [Fact]
    public async Task LogService_OfRequests_GetsEachOfThem()
    {
        await using var gateway = await RunningGateway.StartAsync(
            Service("LogService", "service", "protocol_version: v3", "driver: http", "flush_interval_byte_size: 0", "grpc: true",
                "driver_config: { additional_log_headers: [ { header_name: x-tenant } ] }")
            + Manifests.Mapping("a", "/a/", _backend.Port));

        await gateway.SendAsync("GET", "/a/b", headers: "x-tenant: t1\r\n");

        var message = await Task.Run(() => _logs.TryTake(out var taken, TimeSpan.FromSeconds(60)) ? taken : throw new TimeoutException());
        message.Identifier.LogName.ShouldBe("logservice");
        var entry = message.HttpLogs.LogEntry.ShouldHaveSingleItem();
        entry.Request.OriginalPath.ShouldBe("/a/b");
        entry.Request.RequestHeaders["x-tenant"].ShouldBe("t1");
        entry.Response.ResponseCode.ShouldBe(200u);
    }

    [Fact]
    public async Task Module_WithLuaScripts_RunsThem()
    {
        await using var gateway = await RunningGateway.StartAsync("""
            apiVersion: getambassador.io/v3alpha1
            kind: Module
            metadata: { name: ambassador, namespace: default }
            spec:
              config:
                lua_scripts: |
                  function envoy_on_response(handle)
                    handle:headers():add('x-lua', handle:headers():get(':status'))
                  end
            ---

            """ + Manifests.Mapping("a", "/a/", _backend.Port));

        (await gateway.SendAsync("GET", "/a/"))["x-lua"].ShouldBe("200");
    }

    private static CheckResponse Check(CheckRequest request)
    {
        if (request.Attributes.Request.Http.Headers.TryGetValue("authorization", out var authorization) && authorization == "wrong")
        {
            return new CheckResponse
            {
                Status = new Google.Rpc.Status { Code = 7 },
                DeniedResponse = new DeniedHttpResponse
                {
                    Status = new HttpStatus { Code = StatusCode.Unauthorized },
                    Body = "not you",
                    Headers = { Option("www-authenticate", "Test") },
                },
            };
        }

        return new CheckResponse
        {
            Status = new Google.Rpc.Status(),
            OkResponse = new OkHttpResponse
            {
                Headers = { Option("x-user", request.Attributes.ContextExtensions.TryGetValue("tier", out var tier) ? tier : "none") },
            },
        };
    }

    private static RateLimitResponse Limit(RateLimitRequest request)
    {
        var over = request.Descriptors.Any(descriptor => descriptor.Entries.Any(entry => entry is { Key: "user", Value: "over" }));
        var response = new RateLimitResponse { OverallCode = over ? RateLimitResponse.Types.Code.OverLimit : RateLimitResponse.Types.Code.Ok };
        if (over) response.ResponseHeadersToAdd.Add(new HeaderValue { Key = "x-limited-by", Value = "test" });
        return response;
    }

    private static HeaderValueOption Option(string name, string value) => new() { Header = new HeaderValue { Key = name, Value = value } };

    private string Service(string kind, string field, params string[] more) => $"""
        apiVersion: getambassador.io/v3alpha1
        kind: {kind}
        metadata:
          name: external
          namespace: default
        spec:
          {field}: {string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_services.Port}")}
        {string.Concat(more.Select(line => $"  {line}\n"))}---

        """;
}
