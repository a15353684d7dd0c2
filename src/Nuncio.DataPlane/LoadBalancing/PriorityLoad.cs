namespace Nuncio.DataPlane.LoadBalancing;

/// <summary>
/// How requests are divided among priorities by their health (Envoy, "Priority levels" and "Panic threshold"): a priority takes its healthy part times
/// the overprovisioning factor, the next one what is left.
/// </summary>
internal sealed class PriorityLoad
{
    private PriorityLoad(int[] healthy, int[] degraded, bool[] panic)
    {
        Healthy = healthy;
        Degraded = degraded;
        Panic = panic;
    }

    /// <summary>Percent of requests for the healthy endpoints of each priority.</summary>
    public int[] Healthy { get; }

    /// <summary>Percent of requests for the degraded endpoints.</summary>
    public int[] Degraded { get; }

    /// <summary>Health is not looked at.</summary>
    public bool[] Panic { get; }

    /// <summary>Divides.</summary>
    /// <param name="counts">Endpoints of each priority.</param>
    /// <param name="overprovisioning">Percent.</param>
    /// <param name="panicThreshold">Percent; 0 is never.</param>
    public static PriorityLoad Compute(PriorityCount[] counts, uint overprovisioning, double panicThreshold)
    {
        var n = counts.Length;
        var healthyAvailability = new int[n];
        var degradedAvailability = new int[n];
        var total = 0;
        for (var i = 0; i < n; i++)
        {
            var counted = counts[i].All - counts[i].Excluded;
            if (counted > 0)
            {
                healthyAvailability[i] = (int)Math.Min(100, overprovisioning * (long)counts[i].Healthy / counted);
                degradedAvailability[i] = (int)Math.Min(100, overprovisioning * (long)counts[i].Degraded / counted);
            }

            total += healthyAvailability[i] + degradedAvailability[i];
        }

        total = Math.Min(total, 100);
        var panic = new bool[n];
        var allPanic = n > 0;
        for (var i = 0; i < n; i++)
        {
            var counted = counts[i].All - counts[i].Excluded;
            var usable = counted <= 0 ? 0 : 100.0 * (counts[i].Healthy + counts[i].Degraded) / counted;
            panic[i] = total != 100 && usable < panicThreshold;
            allPanic &= panic[i];
        }

        var healthy = new int[n];
        var degraded = new int[n];
        if (allPanic)
        {
            DistributeByCount(counts, healthy);
        }
        else if (total > 0)
        {
            var left = 100;
            Distribute(healthyAvailability, healthy, total, ref left);
            Distribute(degradedAvailability, degraded, total, ref left);
            GiveRest(healthy, degraded, left);
        }

        return new PriorityLoad(healthy, degraded, panic);
    }

    private static void Distribute(int[] availability, int[] load, int total, ref int left)
    {
        for (var i = 0; i < load.Length; i++)
        {
            load[i] = Math.Min(left, availability[i] * 100 / total);
            left -= load[i];
        }
    }

    // What rounding left goes to the first that takes any.
    private static void GiveRest(int[] healthy, int[] degraded, int left)
    {
        var first = Array.FindIndex(healthy, l => l > 0);
        if (first >= 0)
        {
            healthy[first] += left;
            return;
        }

        first = Array.FindIndex(degraded, l => l > 0);
        if (first >= 0)
        {
            degraded[first] += left;
        }
    }

    private static void DistributeByCount(PriorityCount[] counts, int[] load)
    {
        var all = counts.Sum(c => c.All);
        if (all == 0)
        {
            load[0] = 100;
            return;
        }

        var left = 100;
        for (var i = 0; i < counts.Length; i++)
        {
            load[i] = 100 * counts[i].All / all;
            left -= load[i];
        }

        load[Array.FindIndex(counts, c => c.All > 0)] += left;
    }
}
