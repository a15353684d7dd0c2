using System.Collections.Concurrent;
using Envoy.Config.Ratelimit.V3;
using Envoy.Service.Ratelimit.V3;
using Google.Protobuf;
using Nuncio.DataPlane.Telemetry;
using Nuncio.Grpc;
using Nuncio.Grpc.Server;
using Action = Envoy.Config.Route.V3.RateLimit.Types.Action;
using Code = Envoy.Service.Ratelimit.V3.RateLimitResponse.Types.Code;
using FilterMessage = Envoy.Extensions.Filters.Http.Ratelimit.V3.RateLimit;

namespace Nuncio.DataPlane.Tests.External;

public sealed class RateLimitTests : IAsyncDisposable
{
    private static readonly GrpcMethod<RateLimitRequest, RateLimitResponse> ShouldRateLimit = new(
        "envoy.service.ratelimit.v3.RateLimitService", "ShouldRateLimit");

    private readonly ProxyFixture _proxy = new();
    private readonly ConcurrentQueue<RateLimitRequest> _asked = [];

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    [Fact]
    public async Task Descriptor_OfAllKinds_IsMadeOfTheRequest()
    {
        Limit(
            new Action { RemoteAddress = new() },
            new Action { DestinationCluster = new() },
            new Action { RequestHeaders = new() { HeaderName = "X-User", DescriptorKey = "user" } },
            new Action { RequestHeaders = new() { HeaderName = "X-None", DescriptorKey = "none", SkipIfAbsent = true } },
            new Action { GenericKey = new() { DescriptorValue = "fixed" } },
            new Action
            {
                HeaderValueMatch = new() { DescriptorValue = "slow", Headers = { new RouteV3.HeaderMatcher { Name = "x-slow", PresentMatch = true } } },
            },
            new Action { QueryParameters = new() { QueryParameterName = "q", DescriptorKey = "query" } },
            new Action { MaskedRemoteAddress = new() { V4PrefixMaskLen = 8 } });
        await StartAsync(_ => new RateLimitResponse { OverallCode = Code.Ok });

        (await _proxy.SendAsync(target: "/x?q=7", headers: "x-user: ann\r\nx-slow: 1\r\n")).Status.ShouldBe(200);

        var asked = _asked.ShouldHaveSingleItem();
        asked.Domain.ShouldBe("test");
        asked.Descriptors.ShouldHaveSingleItem().Entries.Select(entry => $"{entry.Key}={entry.Value}").ShouldBe(
        [
            "remote_address=127.0.0.1", "destination_cluster=backend", "user=ann", "generic_key=fixed", "header_match=slow", "query=7",
            "masked_remote_address=127.0.0.0/8",
        ]);
        Counter("ok").ShouldBe(1);
    }

    [Fact]
    public async Task Descriptor_WhoseHeaderIsAbsent_IsNotAskedAbout()
    {
        Limit(new Action { RequestHeaders = new() { HeaderName = "x-user", DescriptorKey = "user" } });
        await StartAsync(_ => new RateLimitResponse { OverallCode = Code.OverLimit });

        (await _proxy.SendAsync()).Status.ShouldBe(200);
        _asked.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public async Task VirtualHost_WithLimits_CountsWhereItIsIncluded(bool include, int descriptors)
    {
        Limit(new Action { GenericKey = new() { DescriptorValue = "route" } });
        _proxy.Host.RateLimits.Add(new RouteV3.RateLimit { Actions = { new Action { GenericKey = new() { DescriptorValue = "host" } } } });
        _proxy.Route.Route_.IncludeVhRateLimits = include;
        await StartAsync(_ => new RateLimitResponse { OverallCode = Code.Ok });

        await _proxy.SendAsync();

        _asked.ShouldHaveSingleItem().Descriptors.Count.ShouldBe(descriptors);
    }

    [Fact]
    public async Task Limit_Exceeded_AnswersAsTheServiceSays()
    {
        Limit(new Action { GenericKey = new() { DescriptorValue = "x" } });
        await StartAsync(
            _ => new RateLimitResponse
            {
                OverallCode = Code.OverLimit,
                ResponseHeadersToAdd = { Header("x-limited-by", "test"), Header("content-type", "application/json") },
                RawBody = ByteString.CopyFromUtf8("{}"),
                Statuses =
                {
                    new RateLimitResponse.Types.DescriptorStatus
                    {
                        Code = Code.OverLimit,
                        CurrentLimit = new() { RequestsPerUnit = 10, Unit = RateLimitResponse.Types.RateLimit.Types.Unit.Minute, Name = "a\"b" },
                        LimitRemaining = 0,
                        DurationUntilReset = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(7)),
                    },
                },
            },
            filter => filter.EnableXRatelimitHeaders = FilterMessage.Types.XRateLimitHeadersRFCVersion.DraftVersion03);

        var response = await _proxy.SendAsync();

        response.Status.ShouldBe(429);
        response.BodyText.ShouldBe("{}");
        response["content-type"].ShouldBe("application/json");
        response["x-envoy-ratelimited"].ShouldBe("true");
        response["x-limited-by"].ShouldBe("test");
        response["x-ratelimit-limit"].ShouldBe("10, 10;w=60;name=\"ab\"");
        response["x-ratelimit-remaining"].ShouldBe("0");
        response["x-ratelimit-reset"].ShouldBe("7");
        _proxy.Backend.Requests.ShouldBeEmpty();
        Counter("over_limit").ShouldBe(1);
    }

    [Fact]
    public async Task Limit_NotReached_AddsHeadersBothWays()
    {
        Limit(new Action { GenericKey = new() { DescriptorValue = "x" } });
        await StartAsync(_ => new RateLimitResponse
        {
            OverallCode = Code.Ok,
            RequestHeadersToAdd = { Header("x-quota", "5"), Header("content-length", "999") },
            ResponseHeadersToAdd = { Header("x-left", "4") },
        });

        var response = await _proxy.SendAsync();

        response["x-left"].ShouldBe("4");
        var seen = _proxy.Backend.Requests.ShouldHaveSingleItem();
        seen["x-quota"].ShouldBe("5");
        seen["content-length"].ShouldBeNull();
    }

    [Theory]
    [InlineData(false, 200)]
    [InlineData(true, 500)]
    public async Task Service_Failing_RefusesOnlyWhereAsked(bool deny, int status)
    {
        Limit(new Action { GenericKey = new() { DescriptorValue = "x" } });
        await StartAsync(_ => throw new GrpcStatusException(GrpcStatusCode.Internal, "broken"), filter => filter.FailureModeDeny = deny);

        (await _proxy.SendAsync()).Status.ShouldBe(status);
        Counter("error").ShouldBe(1);
    }

    [Theory]
    [InlineData(false, "14")]
    [InlineData(true, "8")]
    public async Task Grpc_OverTheLimit_GetsAGrpcStatus(bool exhausted, string status)
    {
        Limit(new Action { GenericKey = new() { DescriptorValue = "x" } });
        await StartAsync(_ => new RateLimitResponse { OverallCode = Code.OverLimit }, filter => filter.RateLimitedAsResourceExhausted = exhausted);

        var response = await _proxy.SendAsync("POST", headers: "content-type: application/grpc\r\n", body: "x");

        response.Status.ShouldBe(200);
        response["grpc-status"].ShouldBe(status);
    }

    private static CoreV3.HeaderValue Header(string name, string value) => new() { Key = name, Value = value };

    private void Limit(params Action[] actions)
    {
        var limit = new RouteV3.RateLimit();
        limit.Actions.AddRange(actions);
        _proxy.Route.Route_.RateLimits.Add(limit);
    }

    private async Task StartAsync(Func<RateLimitRequest, RateLimitResponse> answer, System.Action<FilterMessage>? configure = null)
    {
        await _proxy.AddGrpcAsync("limits", new GrpcServiceTable().Unary(ShouldRateLimit, (request, _) =>
        {
            _asked.Enqueue(request);
            return ValueTask.FromResult(answer(request));
        }));
        var filter = new FilterMessage
        {
            Domain = "test",
            Timeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(60)),
            RateLimitService = new RateLimitServiceConfig { GrpcService = ProxyFixture.Service("limits"), TransportApiVersion = CoreV3.ApiVersion.V3 },
        };
        configure?.Invoke(filter);
        _proxy.AddFilter("envoy.filters.http.ratelimit", filter);
        await _proxy.StartAsync();
    }

    private long? Counter(string name) => _proxy.Metrics.Find("envoy_cluster_ratelimit_" + name, MetricLabels.Of("envoy_cluster_name", "backend"));
}
