using System.Globalization;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>What counts as a failure of an endpoint, on both proxies: by what outlier detection has counted after the same requests.</summary>
public sealed class OutlierTests
{
    // The counts of all but the intervals are settled when the answers have come. What is ejected stays so.
    private const string Ejects = "\"base_ejection_time\":\"300s\",\"interval\":\"600s\"";
    private const string Settled = "envoy_cluster_outlier_detection_";

    private static readonly (string Name, string Answer, string Detection, string Route)[] Cases =
    [
        ("five-xx", "500", "\"consecutive_5xx\":3", ""),
        ("not-enforced", "500", "\"consecutive_5xx\":2,\"enforcing_consecutive_5xx\":0", ""),
        ("gateway-not-enforced", "503", "\"consecutive_5xx\":50,\"consecutive_gateway_failure\":2", ""),
        ("gateway", "503", "\"consecutive_5xx\":50,\"consecutive_gateway_failure\":2,\"enforcing_consecutive_gateway_failure\":100", ""),
        ("no-gateway", "500", "\"consecutive_5xx\":50,\"consecutive_gateway_failure\":2,\"enforcing_consecutive_gateway_failure\":100", ""),
        ("too-many", "503", "\"consecutive_5xx\":2,\"max_ejection_percent\":10", ""),
        ("always-one", "503", "\"consecutive_5xx\":2,\"max_ejection_percent\":10,\"always_eject_one_host\":true", ""),
        ("closed", "close", "\"consecutive_5xx\":2", ""),
        ("closed-split", "close", "\"consecutive_local_origin_failure\":2,\"split_external_local_origin_errors\":true", ""),
        ("cut-short", "half", "\"consecutive_5xx\":1", ""),
        ("silent", "silent", "\"consecutive_5xx\":2", "\"timeout\":\"0.2s\","),
        ("silent-split", "silent", "\"consecutive_local_origin_failure\":1,\"split_external_local_origin_errors\":true", "\"timeout\":\"0.2s\","),
        ("slow-try", "silent", "\"consecutive_5xx\":3", "\"retry_policy\":{\"retry_on\":\"5xx\",\"num_retries\":1,\"per_try_timeout\":\"0.1s\"},"),
        ("refused", "refused", "\"consecutive_5xx\":2", ""),
        ("refused-split", "refused", "\"consecutive_local_origin_failure\":2,\"split_external_local_origin_errors\":true", ""),
        ("split-503", "503", "\"consecutive_5xx\":2,\"split_external_local_origin_errors\":true", ""),
        ("grpc", "grpc", "\"consecutive_5xx\":3,\"consecutive_gateway_failure\":2,\"enforcing_consecutive_gateway_failure\":100", ""),
        ("grpc-not-found", "grpc-5", "\"consecutive_5xx\":1", ""),
        ("no-grpc", "grpc", "\"consecutive_5xx\":1", ""),
    ];

    [Fact]
    public async Task Failures_AreCountedAndEjectTheSame()
    {
        await using var backend = WireBackend.Start(static async (wire, cancellation) =>
        {
            while (await wire.ReadRequestAsync(cancellation) is { } request)
            {
                var answer = request.Target.Split('/')[2];
                await wire.WriteAsync(
                    answer switch
                    {
                        "silent" or "close" => "",
                        "half" => "HTTP/1.1 200 x\r\ncontent-length: 10\r\n\r\nabc",
                        "grpc" => Responses.Ok("", "content-type: application/grpc\r\ngrpc-status: 14\r\n"),
                        "grpc-5" => Responses.Ok("", "content-type: application/grpc\r\ngrpc-status: 5\r\n"),
                        _ => Responses.With(int.Parse(answer, CultureInfo.InvariantCulture), "no"),
                    },
                    cancellation);
                if (answer is "close" or "half") return;
            }
        });
        var closed = FreePort.Next();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            $$"""
            {"name":"h","domains":["*"],"routes":[ {{string.Join(',', Cases.Select(static test => $$"""
              {"match":{"prefix":"/{{test.Name}}/"},"route":{ {{test.Route}}"cluster":"{{test.Name}}"} }
              """))}} ] }
            """,
            string.Join(',', Cases.Select(test => ProxyPair.Cluster(
                test.Name,
                $$"""
                "common_lb_config":{"healthy_panic_threshold":{"value":0} },"outlier_detection":{ {{Ejects}}{{(HasPercent(test.Detection) ? "" : ",\"max_ejection_percent\":100")}},{{test.Detection}} },
                """,
                (test.Answer == "refused" ? closed : backend.Port, 1))))));
        pair.Rejections.ShouldBeEmpty();
        await pair.EachAsync(port => Task.WhenAll(Cases.Select(async test =>
        {
            // So many that nothing comes to be detected twice, whether Envoy ejects, in another thread than it answers in, before the next one or not.
            for (var i = 0; i < 3; i++)
            {
                await using var client = await WireClient.ConnectAsync(port);
                var contentType = test.Name.StartsWith("grpc", StringComparison.Ordinal) ? "content-type: application/grpc\r\n" : "";
                await client.Wire.WriteAsync($"GET /{test.Name}/{test.Answer}/ HTTP/1.1\r\nhost: a\r\n{contentType}connection: close\r\n\r\n");
                try
                {
                    await client.Wire.ReadToEndAsync().WaitAsync(Until.Limit);
                }
                catch (IOException)
                {
                    // An answer that was cut short may end so.
                }
            }
        })));
        var ours = await pair.StatisticsAsync(Settled + "ejections");
        foreach (var ejected in (string[])
            ["five-xx", "gateway", "always-one", "closed", "silent", "silent-split", "slow-try", "cut-short", "refused", "refused-split", "split-503", "grpc"])
        {
            ours.ShouldContain($"{Settled}ejections_active{{envoy_cluster_name=\"{ejected}\"}} 1");
        }

        foreach (var kept in (string[])
            ["not-enforced", "gateway-not-enforced", "no-gateway", "too-many", "closed-split", "grpc-not-found", "no-grpc"])
        {
            ours.ShouldNotContain($"{Settled}ejections_active{{envoy_cluster_name=\"{kept}\"}} 1");
        }
    }

    private static bool HasPercent(string detection) => detection.Contains("max_ejection_percent", StringComparison.Ordinal);
}
