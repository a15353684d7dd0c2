namespace Nuncio.EndToEndTests.Features.Traffic;

[Collection(nameof(PlainGroup))]
public class ShadowTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TRF-05")]
    [Manifest("""
        Mapping lit: { hostname: "*", prefix: /lit/, service: $(lit) }
        Mapping shadow: { hostname: "*", prefix: /lit/, shadow: true, service: $(shadow) }
        """)]
    public async Task Shadow_OfAMapping_GetsACopyThatTheClientDoesNotNotice(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var reply = await gateway.SendAsync("POST", $"/lit/{plane}", "example.com", ["x-a: 1"], "body");

        reply.ShouldBeFrom("lit");
        var copy = await group.Upstreams.WaitForRequestAsync("shadow", request => request.Target == $"/{plane}");
        copy.Method.ShouldBe("POST");
        copy["host"].ShouldBe("example.com-shadow");
        copy["x-a"].ShouldBe("1");
        copy.BodyText.ShouldBe("body");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-06")]
    [Manifest("""
        Mapping half-lit: { hostname: "*", prefix: /half-lit/, service: $(half-lit) }
        Mapping half-shadow: { hostname: "*", prefix: /half-lit/, shadow: true, weight: 50, service: $(half-shadow) }
        """)]
    public async Task Shadow_WithAWeight_GetsThatShare(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectAsync();
        for (var i = 0; i < 400; i++) (await client.GetAsync($"/half-lit/{plane}/{i}")).ShouldBeFrom("half-lit");

        // 200 of 400, within five and a half standard deviations of 10; the last copies may still be on their way.
        int Copies() => group.Upstreams.Requests("half-shadow").Count(request => request.Target.StartsWith($"/{plane}/", StringComparison.Ordinal));
        await Until.TrueAsync(() => Copies() >= 145);
        Copies().ShouldBeInRange(145, 255);
    }
}
