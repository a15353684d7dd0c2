using Envoy.Extensions.Filters.Http.GrpcStats.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Telemetry;
using Nuncio.Grpc;
using Nuncio.Grpc.Client;
using Nuncio.Grpc.Server;
using Nuncio.Testing.Backends;
using BridgeConfig = Envoy.Extensions.Filters.Http.GrpcHttp1Bridge.V3.Config;
using GrpcWebMessage = Envoy.Extensions.Filters.Http.GrpcWeb.V3.GrpcWeb;

namespace Nuncio.DataPlane.Tests.External;

/// <summary>Filters between clients of many kinds and a gRPC service behind the proxy.</summary>
public sealed class GrpcFilterTests : IAsyncDisposable
{
    private static readonly GrpcMethod<StringValue, StringValue> Say = new("test.Echo", "Say");

    private readonly ProxyFixture _proxy = new();

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    [Fact]
    public async Task Proxy_BetweenOurClientAndServer_CarriesCallsAndTheirEnds()
    {
        await StartAsync("none", null);
        using var transport = new SocketGrpcTransport(new Uri($"http://127.0.0.1:{_proxy.Port}"));
        var client = new GrpcClient(transport);

        (await client.UnaryAsync(Say, new StringValue { Value = "hello" }, GrpcCallOptions.Default)).Value.ShouldBe("you said hello");
        var refused = await Should.ThrowAsync<GrpcStatusException>(
            async () => await client.UnaryAsync(Say, new StringValue { Value = "refuse" }, GrpcCallOptions.Default));
        refused.Status.ShouldBe(new GrpcStatus(GrpcStatusCode.PermissionDenied, "no"));
    }

    [Fact]
    public async Task GrpcWeb_Binary_GetsTheTrailersInTheBody()
    {
        await StartAsync("envoy.filters.http.grpc_web", new GrpcWebMessage());

        var response = await PostAsync("application/grpc-web+proto", Latin(Frame("hello")));

        response.Status.ShouldBe(200);
        response["content-type"].ShouldBe("application/grpc-web+proto");
        var answer = new StringValue { Value = "you said hello" }.ToByteArray();
        response.Body.AsSpan(5, answer.Length).SequenceEqual(answer).ShouldBeTrue();
        response.Body[5 + answer.Length].ShouldBe((byte)0x80);
        response.BodyText.ShouldContain("grpc-status:0\r\n");
        response["trailer"].ShouldBeNull();
    }

    [Fact]
    public async Task GrpcWeb_Text_IsBase64BothWays()
    {
        await StartAsync("envoy.filters.http.grpc_web", new GrpcWebMessage());

        var response = await PostAsync("application/grpc-web-text", Convert.ToBase64String(Frame("hello")), "accept: application/grpc-web-text\r\n");

        response["content-type"].ShouldBe("application/grpc-web-text+proto");
        var first = response.BodyText[..(response.BodyText.IndexOf('=') is var end && end > 0 ? (end / 4 + 1) * 4 : 4)];
        Convert.FromBase64String(first).AsSpan().IndexOf("you said hello"u8).ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("hello", 200, "0")]
    [InlineData("refuse", 503, "7")]
    public async Task Bridge_OverHttp1_PutsTheStatusIntoTheHead(string word, int status, string grpcStatus)
    {
        await StartAsync("envoy.filters.http.grpc_http1_bridge", new BridgeConfig());

        var response = await PostAsync("application/grpc", Latin(Frame(word)));

        response["grpc-status"].ShouldBe(grpcStatus);
        if (word == "hello")
        {
            response.Status.ShouldBe(status);
            response["content-length"].ShouldBe(response.Body.Length.ToString());
            response.Trailers.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task Statistics_OfAllMethods_CountCallsAndMessages()
    {
        await StartAsync("envoy.filters.http.grpc_stats", new FilterConfig { StatsForAllMethods = true });
        using var transport = new SocketGrpcTransport(new Uri($"http://127.0.0.1:{_proxy.Port}"));
        var client = new GrpcClient(transport);
        await client.UnaryAsync(Say, new StringValue { Value = "hello" }, GrpcCallOptions.Default);
        await Should.ThrowAsync<GrpcStatusException>(async () => await client.UnaryAsync(Say, new StringValue { Value = "refuse" }, GrpcCallOptions.Default));

        Count("total").ShouldBe(2);
        Count("success").ShouldBe(1);
        Count("failure").ShouldBe(1);
        Count("7").ShouldBe(1);
        Count("request_message_count").ShouldBe(2);
        Count("response_message_count").ShouldBe(1);
    }

    private static byte[] Frame(string word)
    {
        var message = new StringValue { Value = word }.ToByteArray();
        return [0, 0, 0, 0, (byte)message.Length, .. message];
    }

    private static string Latin(byte[] bytes) => System.Text.Encoding.Latin1.GetString(bytes);

    private Task<WireResponse> PostAsync(string type, string body, string headers = "") =>
        _proxy.SendAsync("POST", Say.Path, $"content-type: {type}\r\n{headers}", body);

    private async Task StartAsync(string name, IMessage? filter)
    {
        await _proxy.AddGrpcAsync("grpc", new GrpcServiceTable().Unary(Say, (request, _) => request.Value == "refuse"
            ? throw new GrpcStatusException(GrpcStatusCode.PermissionDenied, "no")
            : ValueTask.FromResult(new StringValue { Value = "you said " + request.Value })));
        _proxy.Route.Route_.Cluster = "grpc";
        if (filter is not null) _proxy.AddFilter(name, filter);
        await _proxy.StartAsync();
    }

    private long? Count(string name) => _proxy.Metrics.Find(
        "envoy_cluster_grpc_" + name,
        MetricLabels.Of("envoy_cluster_name", "grpc").And("envoy_grpc_bridge_method", "Say").And("envoy_grpc_bridge_service", "test.Echo"));
}
