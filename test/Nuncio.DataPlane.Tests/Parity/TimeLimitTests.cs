using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>Limits of time on requests, as Envoy has them.</summary>
public sealed class TimeLimitTests
{
    [Theory]
    [InlineData("\"request_timeout\":\"0.3s\",", "", "408 request timeout")]
    [InlineData("\"stream_idle_timeout\":\"0.3s\",", "", "408 stream timeout")]
    [InlineData("\"common_http_protocol_options\":{\"max_stream_duration\":\"0.3s\"},", "", "408 downstream duration timeout")]
    [InlineData("\"request_timeout\":\"0.3s\",", Buffer, "408 request timeout")]
    [InlineData("\"stream_idle_timeout\":\"0.3s\",", Buffer, "408 stream timeout")]
    public async Task RequestThatDoesNotEnd_IsAnswered(string manager, string filters, string expected)
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(Host(""), ProxyPair.Cluster("c", "", (backend.Port, 1)), manager, filters));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(expected, static port => ProxyPair.AskAsync(port, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc"));
    }

    [Theory]
    [InlineData("", "\"timeout\":\"0.3s\",", "", "504 upstream request timeout")]
    [InlineData("", "\"timeout\":\"0s\",\"idle_timeout\":\"0.3s\",", "", "504 stream timeout")]
    [InlineData("\"common_http_protocol_options\":{\"max_stream_duration\":\"0.3s\"},", "", "", "504 downstream duration timeout")]
    [InlineData("", "\"max_stream_duration\":{\"max_stream_duration\":\"0.3s\"},", "", "504 downstream duration timeout")]
    [InlineData("", "\"retry_policy\":{\"retry_on\":\"5xx\",\"num_retries\":1,\"per_try_timeout\":\"0.2s\"},", "", "504 upstream request timeout")]
    [InlineData("", "\"retry_policy\":{\"retry_on\":\"5xx\",\"num_retries\":1,\"per_try_idle_timeout\":\"0.2s\"},", "", "504 upstream request timeout")]
    [InlineData("", "", "\"common_http_protocol_options\":{\"max_stream_duration\":\"0.3s\"},", "504 upstream max stream duration reached")]
    public async Task ResponseThatDoesNotCome_IsAnswered(string manager, string route, string cluster, string expected)
    {
        await using var backend = WireBackend.Start(static (wire, cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(Host(route), ProxyPair.Cluster("c", cluster, (backend.Port, 1)), manager));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(expected, static port => ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        await pair.StatisticsAsync(
            "envoy_cluster_upstream_rq_(per_try_timeout|per_try_idle_timeout|timeout|max_duration_reached|retry|retry_limit_exceeded)\\{");
        await pair.StatisticsAsync("envoy_http_downstream_rq_(idle_timeout|timeout|max_duration_reached|xx|header_timeout)\\{.*\"test\"");
    }

    [Fact]
    public async Task HeadersThatDoNotEnd_AreAnswered()
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            Host(""), ProxyPair.Cluster("c", "", (backend.Port, 1)), "\"request_headers_timeout\":\"0.3s\","));

        await pair.ExpectAsync("408", static async port => (await ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n"))[..3]);
        await pair.StatisticsAsync("envoy_http_downstream_rq_header_timeout\\{");
    }

    private const string Buffer =
        """{"name":"b","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer","max_request_bytes":1000}},""";

    private static string Host(string route) => $$"""{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{ {{route}}"cluster":"c"} }] }""";
}
