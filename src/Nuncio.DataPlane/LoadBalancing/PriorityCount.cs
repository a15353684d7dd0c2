namespace Nuncio.DataPlane.LoadBalancing;

/// <summary>The endpoints of one priority.</summary>
/// <param name="All">How many there are.</param>
/// <param name="Healthy">Those that are fully usable.</param>
/// <param name="Degraded">Those that are usable where there is no better one.</param>
/// <param name="Excluded">Those of all that do not count where a part of the endpoints decides.</param>
internal record struct PriorityCount(int All, int Healthy, int Degraded, int Excluded = 0);
