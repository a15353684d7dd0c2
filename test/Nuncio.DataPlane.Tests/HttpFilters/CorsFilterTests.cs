using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Tests.Pipeline;
using CorsV3 = Envoy.Extensions.Filters.Http.Cors.V3;

namespace Nuncio.DataPlane.Tests.HttpFilters;

public class CorsFilterTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Preflight_AllowedOrigin_IsAnswered(bool perRoute)
    {
        var fixture = Fixture(perRoute);

        var stream = await fixture.SendAsync(
            FakeServerStream.Request("OPTIONS", "a/", ("origin", "https://ok.example"), ("access-control-request-method", "PUT")));

        stream.Response.Status.ShouldBe(200);
        fixture.Seen.ShouldBeNull();
        stream.Response.GetText("access-control-allow-origin").ShouldBe("https://ok.example");
        stream.Response.GetText("access-control-allow-methods").ShouldBe("GET, PUT");
        stream.Response.GetText("access-control-allow-headers").ShouldBe("x-a");
        stream.Response.GetText("access-control-max-age").ShouldBe("60");
        stream.Response.GetText("access-control-allow-credentials").ShouldBe("true");
        stream.Response.GetText("access-control-expose-headers").ShouldBe("x-b");
    }

    [Fact]
    public async Task Preflight_OtherOrigin_GoesOn()
    {
        var fixture = Fixture(perRoute: true);

        var stream = await fixture.SendAsync(
            FakeServerStream.Request("OPTIONS", "a/", ("origin", "https://bad.example"), ("access-control-request-method", "PUT")));

        fixture.Seen.ShouldNotBeNull();
        stream.Response.GetText("access-control-allow-origin").ShouldBeNull();
    }

    [Fact]
    public async Task Request_AllowedOrigin_IsMarked()
    {
        var fixture = Fixture(perRoute: true);

        var stream = await fixture.SendAsync(FakeServerStream.Get("a/", ("origin", "https://ok.example")));

        fixture.Seen.ShouldNotBeNull();
        stream.Response.GetText("access-control-allow-origin").ShouldBe("https://ok.example");
        stream.Response.GetText("access-control-expose-headers").ShouldBe("x-b");
    }

    private static PipelineFixture Fixture(bool perRoute)
    {
        var fixture = new PipelineFixture().Add("/", route =>
        {
            route.Route_ = new RouteV3.RouteAction { Cluster = "c" };
            var origin = new MatcherV3.StringMatcher { Exact = "https://ok.example" };
            if (perRoute)
            {
                route.TypedPerFilterConfig["cors"] = Any.Pack(new CorsV3.CorsPolicy
                {
                    AllowOriginStringMatch = { origin },
                    AllowMethods = "GET, PUT",
                    AllowHeaders = "x-a",
                    ExposeHeaders = "x-b",
                    MaxAge = "60",
                    AllowCredentials = true,
                });
            }
            else
            {
                route.Route_.Cors = new RouteV3.CorsPolicy
                {
                    AllowOriginStringMatch = { origin },
                    AllowMethods = "GET, PUT",
                    AllowHeaders = "x-a",
                    ExposeHeaders = "x-b",
                    MaxAge = "60",
                    AllowCredentials = true,
                };
            }
        });
        fixture.Manager.HttpFilters.Add(new HcmV3.HttpFilter { Name = "cors", TypedConfig = Any.Pack(new CorsV3.Cors()) });
        return fixture;
    }
}
