namespace Nuncio.EndToEndTests.Features.Traffic;

/// <summary>Shares of 1000 requests, within more than five standard deviations.</summary>
[Collection(nameof(PlainGroup))]
public class WeightTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TRF-01")]
    [Manifest("""
        Mapping canary-main: { hostname: "*", prefix: /canary/, service: $(main) }
        Mapping canary: { hostname: "*", prefix: /canary/, weight: 10, service: $(canary) }
        """)]
    public async Task Weight_OfACanary_IsItsShare(DataPlane plane) => (await ShareAsync(plane, "/canary/", "canary")).ShouldBeInRange(50, 150);

    [SkippableTheory, DataPlanes, Feature("TRF-02")]
    [Manifest("""
        Mapping half-a: { hostname: "*", prefix: /halves/, service: $(a) }
        Mapping half-b: { hostname: "*", prefix: /halves/, service: $(b) }
        Mapping rest-a: { hostname: "*", prefix: /rest/, weight: 20, service: $(a) }
        Mapping rest-b: { hostname: "*", prefix: /rest/, service: $(b) }
        """)]
    public async Task Weight_NotGiven_IsAnEqualShareOfTheRest(DataPlane plane)
    {
        (await ShareAsync(plane, "/halves/", "a")).ShouldBeInRange(415, 585);
        (await ShareAsync(plane, "/rest/", "b")).ShouldBeInRange(730, 870);
    }

    [SkippableTheory, DataPlanes, Feature("TRF-03")]
    [Manifest("""
        Mapping under: { hostname: "*", prefix: /under/, service: $(rest) }
        Mapping under-a: { hostname: "*", prefix: /under/100/, weight: 10, service: $(a) }
        Mapping under-b: { hostname: "*", prefix: /under/100/, weight: 40, service: $(b) }
        """)]
    public async Task Weights_Under100_LeaveTheRestToTheNextMapping(DataPlane plane) =>
        (await ShareAsync(plane, "/under/100/", "rest")).ShouldBeInRange(415, 585);

    [SkippableTheory, DataPlanes, Feature("TRF-04")]
    [Manifest("""
        Mapping over-a: { hostname: "*", prefix: /over/, weight: 60, service: $(a) }
        Mapping over-b: { hostname: "*", prefix: /over/, weight: 60, service: $(b) }
        """)]
    public async Task Weights_Over100_AreReported(DataPlane plane)
    {
        (await (await group.On(plane)).GetAsync("/over/")).Status.ShouldBe(200);
        (await group.FindingsAsync()).ShouldContain(finding =>
            finding.Code == "weights-above-100" && finding.Level == "error" && finding.Resource.StartsWith("Mapping/over-", StringComparison.Ordinal));
    }

    private async Task<int> ShareAsync(DataPlane plane, string target, string upstream)
    {
        await using var client = await (await group.On(plane)).ConnectAsync();
        var count = 0;
        for (var i = 0; i < 1000; i++)
        {
            if ((await client.GetAsync(target)).Upstream == upstream) count++;
        }

        return count;
    }
}
