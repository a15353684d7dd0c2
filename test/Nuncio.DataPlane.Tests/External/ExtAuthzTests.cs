using System.Collections.Concurrent;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Service.Auth.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Telemetry;
using Nuncio.Grpc;
using Nuncio.Grpc.Server;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.External;

public sealed class ExtAuthzTests : IAsyncDisposable
{
    private const string FilterName = "envoy.filters.http.ext_authz";
    private static readonly GrpcMethod<CheckRequest, CheckResponse> Check = new("envoy.service.auth.v3.Authorization", "Check");

    private readonly ProxyFixture _proxy = new();
    private readonly ConcurrentQueue<AttributeContext> _asked = [];

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    [Fact]
    public async Task Grpc_Allowing_ChangesTheRequestAndTheResponse()
    {
        await StartGrpcAsync(_ => new CheckResponse
        {
            Status = new Google.Rpc.Status(),
            OkResponse = new OkHttpResponse
            {
                Headers = { Option("x-user", "ann"), Option("x-list", "two", append: true), Option("x-new", "one", append: true) },
                HeadersToRemove = { "x-secret", "host", ":path" },
                ResponseHeadersToAdd = { Option("x-checked", "yes") },
                QueryParametersToSet = { new CoreV3.QueryParameter { Key = "b", Value = "2 &" } },
                QueryParametersToRemove = { "a" },
            },
        });

        var response = await _proxy.SendAsync(target: "/x?a=1&c=3", headers: "x-list: one\r\nx-secret: s\r\nx-user: forged\r\n");

        response.Status.ShouldBe(200);
        response["x-checked"].ShouldBe("yes");
        var seen = _proxy.Backend.Requests.ShouldHaveSingleItem();
        seen.Target.ShouldBe("/x?c=3&b=2%20%26");
        seen["x-user"].ShouldBe("ann");
        seen["x-list"].ShouldBe("one,two");
        seen["x-new"].ShouldBeNull();
        seen["x-secret"].ShouldBeNull();
        seen["host"].ShouldBe("a.example");
        Counter("envoy_cluster_ext_authz_ok").ShouldBe(1);
    }

    [Fact]
    public async Task Grpc_OfARequestWithoutRoute_IsNotAsked()
    {
        _proxy.Route.Match.Prefix = "/routed";
        await StartGrpcAsync(_ => Ok());

        var response = await _proxy.SendAsync(target: "/elsewhere");

        response.Status.ShouldBe(404);
        _asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Grpc_Asked_IsToldOfTheRequest()
    {
        _proxy.Route.TypedPerFilterConfig[FilterName] = Any.Pack(
            new ExtAuthzPerRoute { CheckSettings = new CheckSettings { ContextExtensions = { ["b"] = "route" } } });
        _proxy.Host.TypedPerFilterConfig[FilterName] =
            Any.Pack(new ExtAuthzPerRoute { CheckSettings = new CheckSettings { ContextExtensions = { ["a"] = "host", ["b"] = "host" } } });
        await StartGrpcAsync(_ => Ok(), filter => filter.WithRequestBody = new BufferSettings { MaxRequestBytes = 4, AllowPartialMessage = true });

        await _proxy.SendAsync("POST", "/up?q=1", "x-a: 1\r\nx-a: 2\r\n", "123456");

        var asked = _asked.ShouldHaveSingleItem();
        var http = asked.Request.Http;
        http.Method.ShouldBe("POST");
        http.Path.ShouldBe("/up?q=1");
        http.Host.ShouldBe("a.example");
        http.Protocol.ShouldBe("HTTP/1.1");
        http.Headers["x-a"].ShouldBe("1,2");
        http.Headers[":path"].ShouldBe("/up?q=1");
        http.Body.ShouldBe("1234");
        http.Headers["x-envoy-auth-partial-body"].ShouldBe("true");
        asked.ContextExtensions.ShouldBe(new Dictionary<string, string> { ["a"] = "host", ["b"] = "route" }, ignoreOrder: true);
        asked.Source.Address.SocketAddress.Address.ShouldBe("127.0.0.1");
        _proxy.Backend.Requests.ShouldHaveSingleItem().BodyText.ShouldBe("123456");
    }

    [Fact]
    public async Task Grpc_Denying_AnswersAsItSays()
    {
        await StartGrpcAsync(_ => new CheckResponse
        {
            Status = new Google.Rpc.Status { Code = 7 },
            DeniedResponse = new DeniedHttpResponse
            {
                Status = new HttpStatus { Code = StatusCode.Unauthorized },
                Headers = { Option("www-authenticate", "Test"), Option("set-cookie", "a=1"), Option("set-cookie", "b=2"), Option("content-length", "9999") },
                Body = "no",
            },
        });

        var response = await _proxy.SendAsync();

        response.Status.ShouldBe(401);
        response.BodyText.ShouldBe("no");
        response["www-authenticate"].ShouldBe("Test");
        response["set-cookie"].ShouldBe("a=1,b=2");
        response["content-length"].ShouldBe("2");
        _proxy.Backend.Requests.ShouldBeEmpty();
        Counter("envoy_cluster_ext_authz_denied").ShouldBe(1);
    }

    [Theory]
    [InlineData("bad\nvalue")]
    [InlineData("bad\0value")]
    public async Task Grpc_WithAHeaderThatIsNone_IsNotFollowed(string value)
    {
        await StartGrpcAsync(
            _ => new CheckResponse { Status = new Google.Rpc.Status(), OkResponse = new OkHttpResponse { Headers = { Option("x-user", value) } } });

        (await _proxy.SendAsync()).Status.ShouldBe(500);
        _proxy.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Grpc_OfHeadersWithoutEnd_IsNotFollowed()
    {
        await StartGrpcAsync(_ =>
        {
            var ok = Ok();
            for (var i = 0; i < 1000; i++) ok.OkResponse.Headers.Add(Option("x-" + i, "v"));
            return ok;
        });

        (await _proxy.SendAsync()).Status.ShouldBe(500);
    }

    [Theory]
    [InlineData(false, 403)]
    [InlineData(true, 200)]
    public async Task Grpc_Failing_IsRefusedUnlessAllowed(bool allow, int status)
    {
        await StartGrpcAsync(_ => throw new GrpcStatusException(GrpcStatusCode.Unavailable, "away"), filter =>
        {
            filter.FailureModeAllow = allow;
            filter.FailureModeAllowHeaderAdd = true;
        });

        var response = await _proxy.SendAsync();

        response.Status.ShouldBe(status);
        Counter("envoy_cluster_ext_authz_error").ShouldBe(1);
        if (allow) _proxy.Backend.Requests.ShouldHaveSingleItem()["x-envoy-auth-failure-mode-allowed"].ShouldBe("true");
    }

    [Fact]
    public async Task Grpc_Absent_AnswersTheConfiguredStatus()
    {
        _proxy.AddCluster("authz", Nuncio.Testing.FreePort.Next(), http2: true);
        _proxy.AddFilter(
            FilterName, new ExtAuthz { GrpcService = ProxyFixture.Service("authz"), StatusOnError = new HttpStatus { Code = StatusCode.ServiceUnavailable } });
        await _proxy.StartAsync();

        (await _proxy.SendAsync()).Status.ShouldBe(503);
    }

    [Fact]
    public async Task Grpc_Slow_IsGivenUpAfterItsTime()
    {
        var table = new GrpcServiceTable().Unary(Check, async (_, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.Cancellation);
            return Ok();
        });
        await _proxy.AddGrpcAsync("authz", table);
        _proxy.AddFilter(FilterName, new ExtAuthz { GrpcService = ProxyFixture.Service("authz", 0.1) });
        await _proxy.StartAsync();

        (await _proxy.SendAsync()).Status.ShouldBe(403);
    }

    [Fact]
    public async Task Body_LongerThanTheLimit_IsRefusedWhereAllIsNeeded()
    {
        await StartGrpcAsync(_ => Ok(), filter => filter.WithRequestBody = new BufferSettings { MaxRequestBytes = 4 });

        (await _proxy.SendAsync("POST", body: "12345")).Status.ShouldBe(413);
        (await _proxy.SendAsync("POST", body: "1234")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Route_ThatIsDisabled_IsNotChecked()
    {
        _proxy.Route.TypedPerFilterConfig[FilterName] = Any.Pack(new ExtAuthzPerRoute { Disabled = true });
        await StartGrpcAsync(_ => throw new InvalidOperationException());

        (await _proxy.SendAsync()).Status.ShouldBe(200);
        _asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Http_Allowing_GetsWhatIsAllowedAndGivesWhatIsAllowed()
    {
        var service = _proxy.AddHttp("authz", _ => Responses.Ok("", "x-user: ann\r\nx-other: no\r\nx-envoy-auth-headers-to-remove: x-drop, x-none\r\n"));
        await StartHttpAsync();

        var response = await _proxy.SendAsync(
            "POST", "/x?y", "x-user: forged\r\nx-sent: 1\r\nx-unsent: 2\r\nx-drop: 3\r\nauthorization: Basic YTpi\r\n", "hello");

        response.Status.ShouldBe(200);
        var asked = service.Requests.ShouldHaveSingleItem();
        asked.Method.ShouldBe("POST");
        asked.Target.ShouldBe("/check/x?y");
        asked["host"].ShouldBe("a.example");
        asked["content-length"].ShouldBe("0");
        asked["x-sent"].ShouldBe("1");
        asked["x-unsent"].ShouldBeNull();
        asked["x-added"].ShouldBe("always");
        asked["authorization"].ShouldBe("Basic YTpi");
        asked["x-envoy-internal"].ShouldBe("true");
        asked["x-envoy-expected-rq-timeout-ms"].ShouldBe("60000");
        var seen = _proxy.Backend.Requests.ShouldHaveSingleItem();
        seen["x-user"].ShouldBe("ann");
        seen["x-other"].ShouldBeNull();
        seen["x-drop"].ShouldBeNull();
        seen.BodyText.ShouldBe("hello");
    }

    [Fact]
    public async Task Http_Denying_PassesItsAnswerOn()
    {
        _proxy.AddHttp("authz", _ => Responses.With(302, "over there", "location: /login\r\nx-user: u\r\nx-inner: secret\r\n"));
        await StartHttpAsync();

        var response = await _proxy.SendAsync();

        response.Status.ShouldBe(302);
        response["location"].ShouldBe("/login");
        response["x-user"].ShouldBe("u");
        response["x-inner"].ShouldBeNull();
        response.BodyText.ShouldBe("over there");
    }

    [Fact]
    public async Task Http_Answering5xx_IsAFailure()
    {
        _proxy.AddHttp("authz", _ => Responses.With(500, "broken"));
        await StartHttpAsync();

        var response = await _proxy.SendAsync();

        response.Status.ShouldBe(403);
        response.BodyText.ShouldBeEmpty();
    }

    [Fact]
    public async Task Http_ChangingWhatRoutingNeeds_ChoosesTheRouteAgain()
    {
        _proxy.Host.Routes.Insert(0, new RouteV3.Route
        {
            Match = new RouteV3.RouteMatch
            {
                Prefix = "/",
                Headers = { new RouteV3.HeaderMatcher { Name = "x-user", StringMatch = new MatcherV3.StringMatcher { Exact = "ann" } } },
            },
            DirectResponse = new RouteV3.DirectResponseAction { Status = 204 },
        });
        _proxy.AddHttp("authz", _ => Responses.Ok("", "x-user: ann\r\n"));
        await StartHttpAsync();

        (await _proxy.SendAsync()).Status.ShouldBe(204);
    }

    private static CheckResponse Ok() => new() { Status = new Google.Rpc.Status(), OkResponse = new OkHttpResponse() };

    private static CoreV3.HeaderValueOption Option(string name, string value, bool? append = null) =>
        new() { Header = new CoreV3.HeaderValue { Key = name, Value = value }, Append = append };

    private static MatcherV3.ListStringMatcher Names(params string[] names)
    {
        var list = new MatcherV3.ListStringMatcher();
        list.Patterns.AddRange(names.Select(name => new MatcherV3.StringMatcher { Exact = name, IgnoreCase = true }));
        return list;
    }

    private async Task StartGrpcAsync(Func<CheckRequest, CheckResponse> answer, Action<ExtAuthz>? configure = null)
    {
        await _proxy.AddGrpcAsync("authz", new GrpcServiceTable().Unary(Check, (request, _) =>
        {
            _asked.Enqueue(request.Attributes);
            return ValueTask.FromResult(answer(request));
        }));
        var filter = new ExtAuthz { GrpcService = ProxyFixture.Service("authz"), TransportApiVersion = CoreV3.ApiVersion.V3 };
        configure?.Invoke(filter);
        _proxy.AddFilter(FilterName, filter);
        await _proxy.StartAsync();
    }

    private Task StartHttpAsync()
    {
        _proxy.AddFilter(FilterName, new ExtAuthz
        {
            ClearRouteCache = true,
            HttpService = new HttpService
            {
                ServerUri = new CoreV3.HttpUri { Uri = "http://authz", Cluster = "authz", Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(60)) },
                PathPrefix = "/check",
                AuthorizationRequest = new AuthorizationRequest
                {
                    AllowedHeaders = Names("x-sent"),
                    HeadersToAdd = { new CoreV3.HeaderValue { Key = "x-added", Value = "always" } },
                },
                AuthorizationResponse = new AuthorizationResponse { AllowedUpstreamHeaders = Names("x-user"), AllowedClientHeaders = Names("x-user") },
            },
        });
        return _proxy.StartAsync();
    }

    private long? Counter(string name) => _proxy.Metrics.Find(name, MetricLabels.Of("envoy_cluster_name", "backend"));
}
