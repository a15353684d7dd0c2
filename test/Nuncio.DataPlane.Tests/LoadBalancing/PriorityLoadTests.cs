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

    // As measured with Envoy 1.40: all, healthy and degraded endpoints of each priority; what of 100 requests goes to the healthy and degraded ones.
    [Theory]
    [InlineData("4 1 1 | 2 2 0", "35 65", "0 0", "no no")]
    [InlineData("2 0 1 | 2 0 2", "0 0", "70 30", "no no")]
    [InlineData("4 1 0 | 4 1 0", "50 50", "0 0", "yes yes")]
    [InlineData("4 0 0 | 4 1 0", "50 50", "0 0", "yes yes")]
    [InlineData("3 0 0 | 1 0 0", "75 25", "0 0", "yes yes")]
    [InlineData("4 1 0 | 2 1 0", "35 65", "0 0", "no no")]
    [InlineData("4 0 1", "100", "0", "yes")]
    public void Compute_HealthyAndDegraded_DividesAsEnvoyDoes(string priorities, string healthy, string degraded, string panic)
    {
        var counts = priorities.Split(" | ").Select(static priority => priority.Split(' ').Select(int.Parse).ToArray());
        var load = PriorityLoad.Compute([.. counts.Select(static count => new PriorityCount(count[0], count[1], count[2]))], 140, 50);
        string.Join(' ', load.Panic.Select(static panics => panics ? "yes" : "no")).ShouldBe(panic);
        string.Join(' ', load.Healthy).ShouldBe(healthy);
        string.Join(' ', load.Degraded).ShouldBe(degraded);
    }

    [Fact]
    public void Compute_WhatRoundingLeaves_GoesToTheFirst()
    {
        var load = PriorityLoad.Compute([new(6, 1, 2)], 140, 10);
        load.Healthy.ShouldBe([34]);
        load.Degraded.ShouldBe([66]);
    }

    [Fact]
    public void Compute_Excluded_DoNotCount()
    {
        var load = PriorityLoad.Compute([new(10, 4, 0, 4), new(10, 10, 0)], 140, 50);
        load.Healthy.ShouldBe([93, 7]);
        load = PriorityLoad.Compute([new(10, 4, 0, 4)], 140, 50);
        load.Panic.ShouldBe([false]);
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
