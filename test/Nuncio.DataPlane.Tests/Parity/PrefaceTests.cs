using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>Nobody holds a connection by beginning to say that it speaks HTTP/2. Envoy would wait for the idle timeout, so only ours is asked.</summary>
public sealed class PrefaceTests
{
    [Theory]
    [InlineData("PRI * HT")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0")]
    public async Task PrefaceThatDoesNotEnd_IsClosed(string sent)
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            "\"request_headers_timeout\":\"0.3s\","));
        await using var client = await WireClient.ConnectAsync(pair.Port);
        await client.Wire.WriteAsync(sent);
        try
        {
            Encoding.Latin1.GetString(await client.Wire.ReadToEndAsync()).ShouldNotContain("HTTP/1.1 200");
        }
        catch (IOException)
        {
            // Closed with a reset, which is as good.
        }
    }

    [Fact]
    public async Task SilentConnection_LivesAsLongAsAnIdleOne()
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            "\"request_headers_timeout\":\"0.2s\","));
        await pair.ExpectAsync("200", static async port =>
        {
            await using var client = await WireClient.ConnectAsync(port);
            await Task.Delay(600);
            return (await client.SendAsync("GET", "/", "a")).Status.ToString(System.Globalization.CultureInfo.InvariantCulture);
        });
    }
}
