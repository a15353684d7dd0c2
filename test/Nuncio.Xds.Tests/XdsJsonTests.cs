using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Xds.Tests;

public class XdsJsonTests
{
    [Fact]
    public void Format_Message_UsesProtoNamesInNumberOrder()
    {
        var cluster = new Cluster
        {
            Name = "quote",
            Type = Cluster.Types.DiscoveryType.StrictDns,
            ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(3500)),
            PerConnectionBufferLimitBytes = 32768,
            RespectDnsTtl = true,
        };

        XdsJson.Format(cluster).ShouldBe(
            """{"name":"quote","type":"STRICT_DNS","connect_timeout":"3.500s","per_connection_buffer_limit_bytes":32768,"respect_dns_ttl":true}""");
    }

    [Theory]
    [InlineData(0, 0, "0s")]
    [InlineData(3, 0, "3s")]
    [InlineData(0, 20_000_000, "0.020s")]
    [InlineData(1, 500_000, "1.000500s")]
    [InlineData(1, 5, "1.000000005s")]
    [InlineData(-1, -500_000_000, "-1.500s")]
    [InlineData(0, -500_000_000, "-0.500s")]
    public void Duration_BothWays_HasAsManyDecimalsAsNeeded(long seconds, int nanos, string text)
    {
        var duration = new Duration { Seconds = seconds, Nanos = nanos };

        XdsJson.Format(duration).ShouldBe($"\"{text}\"");
        XdsJson.TryParse<Duration>($"\"{text}\"", out var read, out _).ShouldBeTrue();
        read.ShouldBe(duration);
    }

    [Theory]
    [InlineData("\"1\"")]
    [InlineData("\"1m\"")]
    [InlineData("\"1.s\"")]
    [InlineData("\"+1s\"")]
    [InlineData("\"1.0000000001s\"")]
    [InlineData("\"999999999999s\"")]
    [InlineData("1")]
    public void Duration_Malformed_IsAnError(string json) => XdsJson.TryParse<Duration>(json, out _, out _).ShouldBeFalse();

    [Fact]
    public void Any_KnownType_IsResolvedBothWays()
    {
        const string Json =
            """{"name":"r","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router","dynamic_stats":false}}""";

        XdsJson.TryParse<HttpFilter>(Json, out var filter, out var error).ShouldBeTrue(error?.ToString());
        filter.TypedConfig.Unpack<Router>().DynamicStats.ShouldBe(false);
        XdsJson.Format(filter).ShouldBe(Json);
    }

    [Fact]
    public void Any_WellKnownType_StandsUnderValue()
    {
        var any = Any.Pack(new UInt64Value { Value = ulong.MaxValue });
        const string Json = """{"@type":"type.googleapis.com/google.protobuf.UInt64Value","value":"18446744073709551615"}""";

        XdsJson.Format(any).ShouldBe(Json);
        XdsJson.TryParse<Any>(Json, out var read, out _).ShouldBeTrue();
        read.ShouldBe(any);
    }

    [Fact]
    public void Any_UnknownType_IsShownAsBytesAndRefusedAsInput()
    {
        var any = new Any { TypeUrl = "type.googleapis.com/example.Other", Value = ByteString.CopyFromUtf8("x") };

        XdsJson.Format(any).ShouldBe("""{"@type":"type.googleapis.com/example.Other","value":"eA=="}""");
        XdsJson.TryParse<Any>("""{"@type":"type.googleapis.com/example.Other"}""", out _, out var error).ShouldBeFalse();
        error.FieldPath.ShouldBe("");
    }

    [Theory]
    [InlineData("""{"virtual_hosts":[{"name":"a"},{"routes":[{"match":{"prefx":"/"}}]}]}""", "virtual_hosts[1].routes[0].match.prefx")]
    [InlineData("""{"virtualHosts":[{"retryPolicy":{"num_retries":-1}}]}""", "virtual_hosts[0].retry_policy.num_retries")]
    [InlineData("""{"virtual_hosts":[{"require_tls":"SOMETIMES"}]}""", "virtual_hosts[0].require_tls")]
    [InlineData("""{"virtual_hosts":{}}""", "virtual_hosts")]
    [InlineData("""{"name":5}""", "name")]
    [InlineData("""{"name":"a","name":"b"}""", "name")]
    [InlineData("""{"virtual_hosts":[{"routes":[{"match":{"prefix":"/","path":"/"}}]}]}""", "virtual_hosts[0].routes[0].match.path")]
    [InlineData("""{"virtual_hosts":[{"typed_per_filter_config":{"cors":{"@type":"t/envoy.extensions.filters.http.cors.v3.Cors","x":1}}}]}""",
        "virtual_hosts[0].typed_per_filter_config[cors].x")]
    [InlineData("""[]""", "")]
    [InlineData("""{"name":""", "")]
    public void Parse_NotTheMessage_NamesTheField(string json, string path)
    {
        XdsJson.TryParse<RouteConfiguration>(json, out var message, out var error).ShouldBeFalse();

        message.ShouldBeNull();
        error.FieldPath.ShouldBe(path);
    }

    [Fact]
    public void Parse_BothNameForms_GiveTheSameMessage()
    {
        const string Snake = """{"connect_timeout":"3s","lb_policy":"LEAST_REQUEST","per_connection_buffer_limit_bytes":"5"}""";
        const string Camel = """{"connectTimeout":"3.0s","lbPolicy":1,"perConnectionBufferLimitBytes":5.0}""";

        XdsJson.TryParse<Cluster>(Snake, out var snake, out _).ShouldBeTrue();
        XdsJson.TryParse<Cluster>(Camel, out var camel, out var error).ShouldBeTrue(error?.ToString());

        camel.ShouldBe(snake);
    }

    [Fact]
    public void Parse_Null_LeavesTheFieldUnset()
    {
        XdsJson.TryParse<Cluster>("""{"name":null,"load_assignment":null,"health_checks":null,"connect_timeout":null}""", out var cluster, out var error)
            .ShouldBeTrue(error?.ToString());

        cluster.ShouldBe(new Cluster());
    }

    [Fact]
    public void Struct_BothWays_KeepsKindsAndSortsKeys()
    {
        XdsJson.TryParse<Metadata>("""{"filter_metadata":{"b":{},"a":{"z":[1,"x",null],"y":{"on":true}}}}""", out var metadata, out _).ShouldBeTrue();

        XdsJson.Format(metadata).ShouldBe("""{"filter_metadata":{"a":{"y":{"on":true},"z":[1,"x",null]},"b":{}}}""");
    }

    [Fact]
    public void Format_SetMessageAndOneofDefaults_AreWritten()
    {
        var route = new Route { Match = new RouteMatch { Prefix = "" }, DirectResponse = new DirectResponseAction(), };

        XdsJson.Format(route).ShouldBe("""{"match":{"prefix":""},"direct_response":{}}""");
    }

    [Fact]
    public void Timestamp_BothWays_IsUtc()
    {
        XdsJson.TryParse<Timestamp>("\"2030-01-02T05:04:05.25+02:00\"", out var timestamp, out _).ShouldBeTrue();

        XdsJson.Format(timestamp).ShouldBe("\"2030-01-02T03:04:05.250Z\"");
    }

    [Fact]
    public void Parse_DeepNesting_IsAnErrorNotACrash()
    {
        var json = string.Concat(Enumerable.Repeat("{\"rules\":", 100_000));

        XdsJson.TryParse<Listener>(json, out _, out var error).ShouldBeFalse();
        error.ShouldNotBeNull();
    }

    [Fact]
    public void XdsBytes_EqualMessagesWithMapsFilledInOtherOrders_AreEqual()
    {
        var names = Enumerable.Range(0, 50).Select(i => $"key-{i}").ToArray();
        var one = new VirtualHost();
        var two = new VirtualHost();
        foreach (var name in names) one.TypedPerFilterConfig[name] = new Any { TypeUrl = name };
        foreach (var name in names.Reverse()) two.TypedPerFilterConfig[name] = new Any { TypeUrl = name };

        XdsBytes.Serialize(one).ShouldBe(XdsBytes.Serialize(two));
        XdsVersion.Of(one).ShouldBe(XdsVersion.Of(two));
        XdsJson.Format(one).ShouldBe(XdsJson.Format(two));
    }
}
