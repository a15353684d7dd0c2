namespace Nuncio.DataPlane.Health;

/// <summary>What a probe found.</summary>
internal enum HealthProbeResult : byte
{
    /// <summary>All is well.</summary>
    Passed,

    /// <summary>It works, but is better left alone where there are others (<c>x-envoy-degraded</c>).</summary>
    PassedDegraded,

    /// <summary>The endpoint answered that it is not well: unhealthy at once.</summary>
    Failed,

    /// <summary>The same, and it wants to be left out of what panic goes by (<c>x-envoy-immediate-health-check-fail</c>).</summary>
    FailedExcluded,

    /// <summary>The answer counts towards the threshold.</summary>
    FailedRetriable,

    /// <summary>No answer: no connection, or none in time. Counts towards the threshold.</summary>
    NetworkFailed,

    /// <summary>Not a probe, but a request of a client was answered with <c>x-envoy-immediate-health-check-fail</c>: unhealthy at once, and left out.</summary>
    FailedPassively,
}
