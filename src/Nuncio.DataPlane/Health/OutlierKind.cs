namespace Nuncio.DataPlane.Health;

/// <summary>Why an endpoint is ejected, in the order of <see cref="Telemetry.OutlierMetrics"/>' names.</summary>
internal enum OutlierKind
{
    /// <summary>5xx in a row.</summary>
    Consecutive5xx,

    /// <summary>502, 503 and 504 in a row.</summary>
    ConsecutiveGatewayFailure,

    /// <summary>Failed connections and timeouts in a row.</summary>
    ConsecutiveLocalOriginFailure,

    /// <summary>Fewer good answers than the others.</summary>
    SuccessRate,

    /// <summary>Fewer connections without failure than the others.</summary>
    LocalOriginSuccessRate,

    /// <summary>Too many bad answers.</summary>
    FailurePercentage,

    /// <summary>Too many failed connections and timeouts.</summary>
    LocalOriginFailurePercentage,
}
