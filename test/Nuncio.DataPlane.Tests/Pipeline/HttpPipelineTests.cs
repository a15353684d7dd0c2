using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Http;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;

namespace Nuncio.DataPlane.Tests.Pipeline;

public class HttpPipelineTests
{
    [Fact]
    public async Task Process_NoRoute_Answers404WithoutBody()
    {
        var stream = await new PipelineFixture().SendAsync(FakeServerStream.Get("a.example/x"));

        stream.Response.Status.ShouldBe(404);
        stream.Body.ShouldBe("");
        stream.Response.GetText("server").ShouldBe("envoy");
        stream.Response.GetText("date").ShouldNotBeNull();
    }

    [Theory]
    [InlineData("", "/x", 400)]
    [InlineData("a b", "/x", 400)]
    [InlineData("a", "x", 404)]
    [InlineData("a", "/x#y", 400)]
    public async Task Process_BadHead_IsRefused(string host, string path, int status)
    {
        var stream = await new PipelineFixture().SendAsync(new FakeServerStream(null, (":method", "GET"), (":path", path), (":authority", host)));

        stream.Response.Status.ShouldBe(status);
        stream.ClosesConnection.ShouldBe(status == 400);
    }

    [Fact]
    public async Task Process_HeadWithoutHost_IsRefusedAndTheConnectionCloses()
    {
        var stream = await new PipelineFixture().SendAsync(new FakeServerStream(null, (":method", "GET"), (":path", "/x")));

        stream.Response.Status.ShouldBe(400);
        stream.ClosesConnection.ShouldBeTrue();
    }

    [Theory]
    [InlineData("\r\nx-evil: 1")]
    [InlineData("\n")]
    [InlineData("\0")]
    public async Task Process_ValueOfARequestThatBreaksLines_NeverDoesSoInAHeader(string evil)
    {
        var fixture = new PipelineFixture().Add("/", route =>
        {
            route.Redirect = new RouteV3.RedirectAction { HostRedirect = "b" };
            route.ResponseHeadersToAdd.Add(Header("x-a", "%REQ(x-a)%"));
            route.ResponseHeadersToAdd.Add(Header("x-q", "%QUERY_PARAM(q)%"));
        });

        var stream = await fixture.SendAsync(FakeServerStream.Request("GET", "a/b?q=1" + Uri.EscapeDataString(evil), ("x-a", "1" + evil)));

        stream.Response.Status.ShouldBe(301);
        foreach (var header in stream.Response)
        {
            header.Value.IndexOfAny("\r\n\0"u8).ShouldBe(-1);
        }
    }

    [Theory]
    [InlineData("a\r\nx-evil: 1")]
    [InlineData("a\n")]
    [InlineData("a\0")]
    public void Bind_RedirectWithALineBreak_IsRefused(string evil)
    {
        foreach (var redirect in (RouteV3.RedirectAction[])
            [new() { HostRedirect = evil }, new() { PathRedirect = "/" + evil }, new() { PrefixRewrite = "/" + evil }, new() { SchemeRedirect = evil }])
        {
            var fixture = new PipelineFixture().Add("/", route => route.Redirect = redirect);
            fixture.Bind();
            fixture.Errors.All.ShouldNotBeEmpty();
        }
    }

    [Fact]
    public async Task Process_DirectResponse_HasTextAndRouteHeaders()
    {
        var fixture = new PipelineFixture().Add("/", route =>
        {
            route.DirectResponse = new RouteV3.DirectResponseAction { Status = 418, Body = new CoreV3.DataSource { InlineString = "teapot" } };
            route.ResponseHeadersToAdd.Add(Header("x-path", "%REQ(:path)%-%RESPONSE_CODE%"));
        });

        var stream = await fixture.SendAsync(FakeServerStream.Get("a/b?c"));

        stream.Response.Status.ShouldBe(418);
        stream.Body.ShouldBe("teapot");
        stream.Response.GetText("content-type").ShouldBe("text/plain");
        stream.Response.GetText("content-length").ShouldBe("6");
        stream.Response.GetText("x-path").ShouldBe("/b?c-418");
    }

    [Fact]
    public async Task Process_GrpcWithoutRoute_AnswersStatusInHeaders()
    {
        var stream = await new PipelineFixture().SendAsync(FakeServerStream.Request("POST", "a/svc/Method", ("content-type", "application/grpc+proto")));

        stream.Response.Status.ShouldBe(200);
        stream.Response.GetText("grpc-status").ShouldBe("12");
        stream.Response.GetText("content-type").ShouldBe("application/grpc");
    }

    [Theory]
    [InlineData("/foo/", "/", "/foo/bar?x=1", "/bar?x=1")]
    [InlineData("/foo", "/", "/foo/bar", "//bar")]
    [InlineData("/foo", "/new", "/foobar", "/newbar")]
    [InlineData("/", "/v1/", "/a", "/v1/a")]
    public async Task Process_PrefixRewrite_ReplacesWhatMatched(string prefix, string rewrite, string path, string expected)
    {
        var fixture = new PipelineFixture().Add(prefix, route => route.Route_ = new RouteV3.RouteAction { Cluster = "c", PrefixRewrite = rewrite });

        await fixture.SendAsync(FakeServerStream.Get("a" + path));

        fixture.Seen!.GetText(":path").ShouldBe(expected);
        fixture.Seen.GetText("x-envoy-original-path").ShouldBe(path);
    }

    [Fact]
    public async Task Process_RegexRewrite_KeepsTheQuery()
    {
        var fixture = new PipelineFixture().Add("/", route => route.Route_ = new RouteV3.RouteAction
        {
            Cluster = "c",
            RegexRewrite = new MatcherV3.RegexMatchAndSubstitute
            {
                Pattern = new MatcherV3.RegexMatcher { Regex = "^/([a-z]+)/(.*)$" },
                Substitution = @"/\2/\1",
            },
        });

        await fixture.SendAsync(FakeServerStream.Get("a/one/two?q=/one/two"));

        fixture.Seen!.GetText(":path").ShouldBe("/two/one?q=/one/two");
    }

    [Fact]
    public async Task Process_HostRewrite_ReplacesHostAndKeepsTheOld()
    {
        var fixture = new PipelineFixture().Add(
            "/", route => route.Route_ = new RouteV3.RouteAction { Cluster = "c", HostRewriteLiteral = "new.example", AppendXForwardedHost = true });

        await fixture.SendAsync(FakeServerStream.Get("old.example/"));

        fixture.Seen!.GetText(":authority").ShouldBe("new.example");
        fixture.Seen.GetText("x-forwarded-host").ShouldBe("old.example");
        fixture.Seen.GetText("x-envoy-original-host").ShouldBe("old.example");
    }

    [Fact]
    public async Task Process_HeaderMutations_RemoveSetAndAddFromRouteToConfiguration()
    {
        var fixture = new PipelineFixture().Add("/", route =>
        {
            route.Route_ = new RouteV3.RouteAction { Cluster = "c" };
            route.RequestHeadersToRemove.Add("X-Gone");
            route.RequestHeadersToAdd.Add(Header("x-add", "route"));
            route.RequestHeadersToAdd.Add(Header("x-set", "route", AppendAction.OverwriteIfExistsOrAdd));
            route.RequestHeadersToAdd.Add(Header("x-absent", "route", AppendAction.AddIfAbsent));
            route.RequestHeadersToAdd.Add(Header("x-exists", "route", AppendAction.OverwriteIfExists));
            route.RequestHeadersToAdd.Add(Header("x-empty", "%REQ(x-none)%"));
        });
        fixture.Host.RequestHeadersToAdd.Add(Header("x-add", "host"));
        fixture.Routes.RequestHeadersToAdd.Add(Header("x-set", "routes", AppendAction.OverwriteIfExistsOrAdd));

        await fixture.SendAsync(FakeServerStream.Get("a/", ("x-gone", "1"), ("x-set", "client"), ("x-absent", "client")));

        var seen = fixture.Seen!;
        seen.GetText("x-gone").ShouldBeNull();
        Values(seen, "x-add").ShouldBe(["route", "host"]);
        Values(seen, "x-set").ShouldBe(["routes"]);
        Values(seen, "x-absent").ShouldBe(["client"]);
        seen.GetText("x-exists").ShouldBeNull();
        seen.GetText("x-empty").ShouldBeNull();
    }

    [Theory]
    [InlineData(false, 0, "", "203.0.113.7", "http", "203.0.113.7")]
    [InlineData(true, 0, "", "203.0.113.7", "http", "203.0.113.7")]
    [InlineData(true, 0, "198.51.100.1", "198.51.100.1,203.0.113.7", "http", "203.0.113.7")]
    [InlineData(true, 1, "198.51.100.1", "198.51.100.1,203.0.113.7", "https", "198.51.100.1")]
    [InlineData(true, 2, "198.51.100.9, 198.51.100.1", "198.51.100.9, 198.51.100.1,203.0.113.7", "https", "198.51.100.9")]
    public async Task Process_ForwardedHeaders_AsTrustedHopsSay(bool useRemote, int hops, string xff, string expectedXff, string expectedProto, string client)
    {
        var fixture = new PipelineFixture().Add("/", route =>
        {
            route.Route_ = new RouteV3.RouteAction { Cluster = "c" };
            route.RequestHeadersToAdd.Add(Header("x-client", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"));
        });
        fixture.Manager.UseRemoteAddress = useRemote;
        fixture.Manager.XffNumTrustedHops = (uint)hops;
        var headers = xff.Length > 0 ? new[] { ("x-forwarded-for", xff), ("x-forwarded-proto", "https") } : [];

        await fixture.SendAsync(FakeServerStream.Get("a/", headers));

        fixture.Seen!.GetText("x-client").ShouldBe(client);
        if (useRemote)
        {
            fixture.Seen.GetText("x-forwarded-for").ShouldBe(expectedXff);
            fixture.Seen.GetText("x-envoy-external-address").ShouldBe(client);
        }

        fixture.Seen.GetText("x-forwarded-proto").ShouldBe(expectedProto);
    }

    [Fact]
    public async Task Process_ExternalClient_CannotSpeakAsAProxy()
    {
        var fixture = new PipelineFixture().Add("/", route => route.Route_ = new RouteV3.RouteAction { Cluster = "c" });
        fixture.Manager.UseRemoteAddress = true;

        await fixture.SendAsync(FakeServerStream.Get(
            "a/", ("x-envoy-retry-on", "5xx"), ("x-envoy-internal", "true"), ("x-envoy-upstream-rq-timeout-ms", "1"), ("x-forwarded-client-cert", "Hash=1"),
            ("keep-alive", "x"),
            ("connection", "x-secret"), ("x-secret", "1"), ("te", "gzip, trailers"), ("x-request-id", "mine")));

        var seen = fixture.Seen!;
        foreach (var name in new[] { "x-envoy-retry-on", "x-envoy-internal", "x-envoy-upstream-rq-timeout-ms", "x-forwarded-client-cert", "keep-alive",
            "connection", "x-secret" })
        {
            seen.GetText(name).ShouldBeNull(name);
        }

        seen.GetText("te").ShouldBe("trailers");
        seen.GetText("x-request-id")!.Length.ShouldBe(36);
    }

    [Theory]
    [InlineData("x-forwarded-for")]
    [InlineData(":path")]
    public async Task Process_ConnectionNamesWhatItMustNot_IsRefused(string name)
    {
        var stream = await new PipelineFixture().SendAsync(FakeServerStream.Get("a/", ("connection", name)));

        stream.Response.Status.ShouldBe(400);
    }

    [Theory]
    [InlineData("a.example:80", "http", "https://a.example/p?q")]
    [InlineData("a.example:8080", "http", "https://a.example:8080/p?q")]
    [InlineData("[::1]:80", "http", "https://[::1]/p?q")]
    [InlineData("a.example", "http", "https://a.example/p?q")]
    public async Task Process_HttpsRedirect_DropsAPortThatNoLongerFits(string host, string proto, string location)
    {
        var fixture = new PipelineFixture().Add("/", route => route.Redirect = new RouteV3.RedirectAction { HttpsRedirect = true });
        fixture.Manager.UseRemoteAddress = true;

        var stream = await fixture.SendAsync(FakeServerStream.Get(host + "/p?q", ("x-forwarded-proto", proto)));

        stream.Response.Status.ShouldBe(301);
        stream.Response.GetText("location").ShouldBe(location);
    }

    [Theory]
    [InlineData("new.example", 0, "", "", false, "http://new.example/a/b?q=1")]
    [InlineData("", 8443, "", "", false, "http://h.example:8443/a/b?q=1")]
    [InlineData("", 0, "/new", "", false, "http://h.example/new?q=1")]
    [InlineData("", 0, "/new?own=1", "", true, "http://h.example/new?own=1")]
    [InlineData("", 0, "", "/x", false, "http://h.example/x/b?q=1")]
    [InlineData("", 0, "", "", true, "http://h.example/a/b")]
    public async Task Process_Redirect_BuildsLocationAsEnvoy(string host, int port, string path, string prefix, bool strip, string location)
    {
        var fixture = new PipelineFixture().Add("/a", route =>
        {
            route.Redirect = new RouteV3.RedirectAction
            {
                HostRedirect = host,
                PortRedirect = (uint)port,
                StripQuery = strip,
                ResponseCode = RouteV3.RedirectAction.Types.RedirectResponseCode.Found,
            };
            if (path.Length > 0)
            {
                route.Redirect.PathRedirect = path;
            }
            else if (prefix.Length > 0)
            {
                route.Redirect.PrefixRewrite = prefix;
            }
        });

        var stream = await fixture.SendAsync(FakeServerStream.Get("h.example/a/b?q=1"));

        stream.Response.Status.ShouldBe(302);
        stream.Response.GetText("location").ShouldBe(location);
    }

    [Fact]
    public async Task Process_WeightedClusters_ChoosesByWeight()
    {
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < 300; i++)
        {
            var fixture = new PipelineFixture().Add("/", route => route.Route_ = new RouteV3.RouteAction
            {
                WeightedClusters = new RouteV3.WeightedCluster
                {
                    Clusters = { new RouteV3.WeightedCluster.Types.ClusterWeight { Name = "a", Weight = 1 },
                        new RouteV3.WeightedCluster.Types.ClusterWeight { Name = "b", Weight = 9 } },
                },
            });
            await fixture.SendAsync(FakeServerStream.Get("x/"));
            counts[fixture.Cluster] = counts.GetValueOrDefault(fixture.Cluster) + 1;
        }

        counts.Keys.Order().ShouldBe(["a", "b"]);
        counts["b"].ShouldBeGreaterThan(counts["a"]);
    }

    [Fact]
    public async Task Process_UpgradeThatIsNotAllowed_IsForbidden()
    {
        var fixture = new PipelineFixture().Add("/", route => route.Route_ = new RouteV3.RouteAction { Cluster = "c" });

        var stream = await fixture.SendAsync(FakeServerStream.Get("a/", ("connection", "Upgrade"), ("upgrade", "websocket")));

        stream.Response.Status.ShouldBe(403);
    }

    [Fact]
    public async Task Process_UpgradeThatTheRouteAllows_KeepsItsHeaders()
    {
        var fixture = new PipelineFixture().Add("/", route => route.Route_ = new RouteV3.RouteAction
        {
            Cluster = "c",
            UpgradeConfigs = { new RouteV3.RouteAction.Types.UpgradeConfig { UpgradeType = "websocket" } },
        });

        await fixture.SendAsync(FakeServerStream.Get("a/", ("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")));

        fixture.Seen!.GetText("upgrade").ShouldBe("WebSocket");
        fixture.Seen.GetText("connection").ShouldBe("keep-alive, Upgrade");
    }

    [Fact]
    public async Task Process_FilterThatIsNotKnown_FailsClosedAndIsReported()
    {
        var fixture = new PipelineFixture().Add("/", route => route.Route_ = new RouteV3.RouteAction { Cluster = "c" });
        fixture.Manager.HttpFilters.Insert(0, new HcmV3.HttpFilter { Name = "odd", TypedConfig = new Any { TypeUrl = "type.googleapis.com/odd.Filter" } });

        var stream = await fixture.SendAsync(FakeServerStream.Get("a/"));

        stream.Response.Status.ShouldBe(500);
        fixture.Seen.ShouldBeNull();
        fixture.Errors.FailClosed.ShouldContain(error => error.FieldPath == "http_filters[0].typed_config");
    }

    [Fact]
    public async Task Process_LocalReplyMapping_ChangesStatusAndBody()
    {
        var fixture = new PipelineFixture();
        fixture.Manager.LocalReplyConfig = new HcmV3.LocalReplyConfig
        {
            Mappers =
            {
                new HcmV3.ResponseMapper
                {
                    Filter = new AccessLogV3.AccessLogFilter
                    {
                        StatusCodeFilter = new AccessLogV3.StatusCodeFilter
                        {
                            Comparison = new AccessLogV3.ComparisonFilter
                            {
                                Op = AccessLogV3.ComparisonFilter.Types.Op.Eq,
                                Value = new CoreV3.RuntimeUInt32 { DefaultValue = 404 },
                            },
                        },
                    },
                    StatusCode = 410,
                    Body = new CoreV3.DataSource { InlineString = "gone" },
                },
            },
            BodyFormat = new CoreV3.SubstitutionFormatString
            {
                JsonFormat = new Struct { Fields = { ["code"] = Value.ForString("%RESPONSE_CODE%"), ["text"] = Value.ForString("%LOCAL_REPLY_BODY%") } },
            },
        };

        var stream = await fixture.SendAsync(FakeServerStream.Get("a/"));

        stream.Response.Status.ShouldBe(410);
        stream.Response.GetText("content-type").ShouldBe("application/json");
        stream.Body.ShouldContain("\"code\":410");
        stream.Body.ShouldContain("\"text\":\"gone\"");
    }

    [Fact]
    public async Task Process_StripMatchingHostPort_IsSeenByUpstream()
    {
        var fixture = new PipelineFixture().Add("/", route => route.Route_ = new RouteV3.RouteAction { Cluster = "c" });
        fixture.Manager.StripMatchingHostPort = true;

        await fixture.SendAsync(FakeServerStream.Get("a.example:8080/"));

        fixture.Seen!.GetText(":authority").ShouldBe("a.example");
    }

    private static CoreV3.HeaderValueOption Header(string name, string value, AppendAction action = AppendAction.AppendIfExistsOrAdd) =>
        new() { Header = new CoreV3.HeaderValue { Key = name, Value = value }, AppendAction = action };

    private static List<string> Values(HeaderMap headers, string name)
    {
        var values = new List<string>();
        foreach (var header in headers)
        {
            if (header.Name.SequenceEqual(System.Text.Encoding.ASCII.GetBytes(name)))
            {
                values.Add(System.Text.Encoding.ASCII.GetString(header.Value));
            }
        }

        return values;
    }
}
