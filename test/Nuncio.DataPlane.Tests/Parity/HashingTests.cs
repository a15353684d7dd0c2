using System.Globalization;
using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>The same request goes to the same endpoint whichever proxy chooses it.</summary>
public sealed class HashingTests
{
    [Theory]
    [InlineData("\"lb_policy\":\"RING_HASH\",", "{\"header\":{\"header_name\":\"x-key\"}}")]
    [InlineData("\"lb_policy\":\"RING_HASH\",\"ring_hash_lb_config\":{\"minimum_ring_size\":100,\"maximum_ring_size\":200},", "{\"header\":{\"header_name\":\"x-key\"}}")]
    [InlineData("\"lb_policy\":\"RING_HASH\",\"common_lb_config\":{\"locality_weighted_lb_config\":{}},", "{\"header\":{\"header_name\":\"x-key\"}}")]
    [InlineData("\"lb_policy\":\"MAGLEV\",", "{\"header\":{\"header_name\":\"x-key\"}}")]
    [InlineData("\"lb_policy\":\"MAGLEV\",\"maglev_lb_config\":{\"table_size\":251},", "{\"header\":{\"header_name\":\"x-key\"}}")]
    [InlineData("\"lb_policy\":\"MAGLEV\",", "{\"query_parameter\":{\"name\":\"q\"}}")]
    [InlineData("\"lb_policy\":\"RING_HASH\",", "{\"cookie\":{\"name\":\"k\"}},{\"header\":{\"header_name\":\"x-key\"}}")]
    [InlineData("\"lb_policy\":\"RING_HASH\",", "{\"header\":{\"header_name\":\"x-key\"},\"terminal\":true},{\"query_parameter\":{\"name\":\"q\"}}")]
    [InlineData("\"lb_policy\":\"RING_HASH\",", "{\"header\":{\"header_name\":\"x-key\",\"regex_rewrite\":{\"pattern\":{\"regex\":\"^a(.)\"},\"substitution\":\"\\\\1\"}}}")]
    public async Task Requests_WithAKey_GoWhereEnvoySendsThem(string policy, string hash)
    {
        var backends = new List<WireBackend>();
        try
        {
            for (var i = 0; i < 5; i++)
            {
                var name = i.ToString(CultureInfo.InvariantCulture);
                backends.Add(WireBackend.Start(_ => Responses.Ok(name)));
            }

            // Out of order and with weights, as endpoints come.
            var endpoints = new[] { 3, 0, 4, 1, 2 }.Select(i => (backends[i].Port, i == 4 ? 3 : i == 1 ? 2 : 1));
            await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
                $$"""{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c","hash_policy":[{{hash}}] } }] }""",
                ProxyPair.Cluster("c", policy, endpoints)));
            pair.Rejections.ShouldBeEmpty();

            var chosen = await pair.CompareAsync(static async port =>
            {
                await using var client = await WireClient.ConnectAsync(port);
                var all = new StringBuilder();
                for (var i = 0; i < 200; i++)
                {
                    var key = string.Create(CultureInfo.InvariantCulture, $"a{i}");
                    var response = await client.SendAsync("GET", $"/?q={key}", "a", $"x-key: {key}\r\ncookie: k={key}x\r\n");
                    all.Append(Encoding.Latin1.GetString(response.Body));
                }

                return all.ToString();
            });
            chosen.Distinct().Count().ShouldBeGreaterThan(3);
        }
        finally
        {
            foreach (var backend in backends) await backend.DisposeAsync();
        }
    }
}
