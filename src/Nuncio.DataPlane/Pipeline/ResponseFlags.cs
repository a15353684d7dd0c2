namespace Nuncio.DataPlane.Pipeline;

/// <summary>Envoy's response flags: why a request ended as it did. The short names of %RESPONSE_FLAGS% are in <see cref="ResponseFlagNames"/>.</summary>
[Flags]
public enum ResponseFlags : ulong
{
#pragma warning disable CS1591 // Envoy documents each under "%RESPONSE_FLAGS%"
    None = 0,
    FailedLocalHealthCheck = 1 << 0,
    NoHealthyUpstream = 1 << 1,
    UpstreamRequestTimeout = 1 << 2,
    LocalReset = 1 << 3,
    UpstreamRemoteReset = 1 << 4,
    UpstreamConnectionFailure = 1 << 5,
    UpstreamConnectionTermination = 1 << 6,
    UpstreamOverflow = 1 << 7,
    NoRouteFound = 1 << 8,
    DelayInjected = 1 << 9,
    FaultInjected = 1 << 10,
    RateLimited = 1 << 11,
    UnauthorizedExternalService = 1 << 12,
    RateLimitServiceError = 1 << 13,
    DownstreamConnectionTermination = 1 << 14,
    UpstreamRetryLimitExceeded = 1 << 15,
    StreamIdleTimeout = 1 << 16,
    InvalidEnvoyRequestHeaders = 1 << 17,
    DownstreamProtocolError = 1 << 18,
    UpstreamMaxStreamDurationReached = 1 << 19,
    ResponseFromCacheFilter = 1 << 20,
    NoFilterConfigFound = 1 << 21,
    DurationTimeout = 1 << 22,
    UpstreamProtocolError = 1 << 23,
    NoClusterFound = 1 << 24,
    OverloadManager = 1 << 25,
    DnsResolutionFailed = 1 << 26,
    DownstreamRemoteReset = 1 << 27,
#pragma warning restore CS1591
}

/// <summary>Short names, in the order Envoy prints them.</summary>
public static class ResponseFlagNames
{
    private static readonly string[] Short =
    [
        "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX", "SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT",
        "UPE", "NC", "OM", "DF", "DR",
    ];

    /// <summary>The flag of a short name, or None.</summary>
    public static ResponseFlags Parse(string name)
    {
        var bit = Array.IndexOf(Short, name);
        return bit < 0 ? ResponseFlags.None : (ResponseFlags)(1UL << bit);
    }

    /// <summary>The short names, comma-separated; <c>-</c> for none.</summary>
    /// <param name="flags">The flags.</param>
    /// <param name="inOrder">Of a connection, where the failure comes before what it means for further tries; otherwise of a request.</param>
    public static string Format(ResponseFlags flags, bool inOrder = false)
    {
        if (flags == ResponseFlags.None)
        {
            return "-";
        }

        // Nearly always one: no text is made then.
        if (ulong.IsPow2((ulong)flags))
        {
            return Short[System.Numerics.BitOperations.TrailingZeroCount((ulong)flags)];
        }

        // Envoy prints them in the order in which they were set: what the retries came to is known before the last try's own failure.
        var text = !inOrder && flags.HasFlag(ResponseFlags.UpstreamRetryLimitExceeded) ? "URX" : "";
        flags &= inOrder ? flags : ~ResponseFlags.UpstreamRetryLimitExceeded;
        for (var bit = 0; bit < Short.Length; bit++)
        {
            if (((ulong)flags & (1UL << bit)) != 0)
            {
                text = text.Length == 0 ? Short[bit] : text + "," + Short[bit];
            }
        }

        return text;
    }
}

/// <summary>The names of %RESPONSE_FLAGS_LONG%: those of <see cref="ResponseFlags"/>.</summary>
public static class LongResponseFlagNames
{
    /// <summary>The names, comma-separated; <c>-</c> for none.</summary>
    public static string Format(ResponseFlags flags) => flags == ResponseFlags.None ? "-" : flags.ToString().Replace(", ", ",", StringComparison.Ordinal);
}
