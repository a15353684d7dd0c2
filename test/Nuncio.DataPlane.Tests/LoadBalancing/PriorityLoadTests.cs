using Nuncio.DataPlane.LoadBalancing;

namespace Nuncio.DataPlane.Tests.LoadBalancing;

public class PriorityLoadTests
{
    // Envoy's documentation, "Priority levels": 140 % overprovisioning.
    [Theory]
    [InlineData(100, 100, 0)]
    [InlineData(72, 100, 0)]
    [InlineData(71, 99, 1)]
    [InlineData(50, 70, 30)]
    [InlineData(25, 35, 65)]
    [InlineData(0, 0, 100)]
    public void Compute_TwoPriorities_DividesAsDocumented(int healthyOfHundred, int first, int second)
    {
        var load = PriorityLoad.Compute([new(100, healthyOfHundred, 0), new(100, 100, 0)], 140, 50);
        load.Healthy.ShouldBe([first, second]);
        load.Panic.ShouldBe([false, false]);
    }

    [Fact]
    public void Compute_OnePriorityBelowThreshold_Panics()
    {
        var load = PriorityLoad.Compute([new(10, 4, 0)], 140, 50);
        load.Panic.ShouldBe([true]);
        load.Healthy.ShouldBe([100]);
    }

    [Fact]
    public void Compute_ThresholdZero_NeverPanics()
    {
        var load = PriorityLoad.Compute([new(10, 0, 0)], 140, 0);
        load.Panic.ShouldBe([false]);
        load.Healthy.ShouldBe([0]);
    }

    [Fact]
    public void Compute_OnlyDegraded_GoesToDegraded()
    {
        var load = PriorityLoad.Compute([new(10, 0, 10)], 140, 50);
        load.Degraded.ShouldBe([100]);
        load.Panic.ShouldBe([false]);
    }
}
