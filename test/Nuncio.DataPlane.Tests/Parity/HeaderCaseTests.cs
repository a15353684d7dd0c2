using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>How header names are spelled towards HTTP/1.1 on both sides.</summary>
public sealed class HeaderCaseTests
{
    private const string Preserve = """
        "http_protocol_options":{"header_key_format":{"stateful_formatter":{"name":"p","typed_config":{
          "@type":"type.googleapis.com/envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"OTHERS} } } },
        """;

    [Theory]
    [InlineData("", "", "x-mixed-upper x-tail | x-answer-upper server")]
    [InlineData(Preserve, "", "X-MIXED-Upper x-Tail | x-answer-upper server")]
    [InlineData("", Preserve, "x-mixed-upper x-tail | X-ANSWER-Upper server")]
    [InlineData(Preserve, Preserve, "X-MIXED-Upper x-Tail | X-ANSWER-Upper server")]
    public async Task Names_AreSpelledAsEnvoySpellsThem(string manager, string cluster, string expected)
    {
        await using var backend = StartBackend();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", cluster.Replace("OTHERS", "", StringComparison.Ordinal), (backend.Port, 1)),
            manager.Replace("OTHERS", "", StringComparison.Ordinal)));
        pair.Rejections.ShouldBeEmpty();
        await pair.ExpectAsync(expected, AskAsync);
    }

    [Fact]
    public async Task OthersInProperCase_BeginTheirWordsWithCapitals()
    {
        var preserve = Preserve.Replace("OTHERS", ",\"formatter_type_on_envoy_headers\":\"PROPER_CASE\"", StringComparison.Ordinal);
        await using var backend = StartBackend();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", preserve, (backend.Port, 1)),
            preserve));
        await pair.ExpectAsync("X-MIXED-Upper x-Tail X-Request-Id | X-ANSWER-Upper Server", port => AskAsync(port, true));
    }

    [Fact]
    public async Task Metadata_SpellsNamesOnBothSides()
    {
        await using var backend = StartBackend();
        var resources = ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", "", (backend.Port, 1)));
        resources = resources.Replace(
            "{\"name\":\"l\",",
            "{\"name\":\"l\",\"metadata\":{\"filter_metadata\":{\"nuncio.header_case\":{\"x-mixed-upper\":\"x-MIXED-uPPER\","
                + "\"x-answer-upper\":\"X-Answer-UPPER\",\"server\":\"SERVER\"} } },",
            StringComparison.Ordinal);
        await using var pair = await ProxyPair.StartAsync(resources);
        pair.Rejections.ShouldBeEmpty();
        (await AskAsync(pair.Port)).ShouldBe("x-MIXED-uPPER x-tail | X-Answer-UPPER SERVER");
    }

    private static WireBackend StartBackend() => WireBackend.Start(static async (wire, cancellationToken) =>
    {
        while (await wire.ReadRequestAsync(cancellationToken) is { } request)
        {
            var names = request.Headers.Select(static header => header.Key).Where(static name => name.StartsWith("x-", StringComparison.OrdinalIgnoreCase));
            await wire.WriteAsync(Responses.Ok(string.Join(' ', names), "X-ANSWER-Upper: 1\r\n"), cancellationToken);
        }
    });

    private static Task<string> AskAsync(int port) => AskAsync(port, false);

    private static async Task<string> AskAsync(int port, bool withId)
    {
        await using var client = await WireClient.ConnectAsync(port);
        await client.Wire.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\nX-MIXED-Upper: 1\r\nx-Tail: 2\r\n\r\n");
        var response = await client.Wire.ReadResponseAsync("GET");
        var seen = System.Text.Encoding.Latin1.GetString(response.Body).Split(' ')
            .Where(name => name.StartsWith("x-mixed", StringComparison.OrdinalIgnoreCase) || name.StartsWith("x-tail", StringComparison.OrdinalIgnoreCase)
                || (withId && name.Equals("x-request-id", StringComparison.OrdinalIgnoreCase)));
        var names = response.Headers.Select(static header => header.Key)
            .Where(static name => name.StartsWith("x-answer", StringComparison.OrdinalIgnoreCase) || name.Equals("server", StringComparison.OrdinalIgnoreCase));
        return $"{string.Join(' ', seen)} | {string.Join(' ', names)}";
    }
}
