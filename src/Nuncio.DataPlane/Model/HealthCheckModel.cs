namespace Nuncio.DataPlane.Model;

/// <summary>An active check of endpoints (<c>config.core.v3.HealthCheck</c>).</summary>
public sealed class HealthCheckModel
{
    /// <summary>A check takes at most so long.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>From one check to the next.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Up to so much is added to the first wait.</summary>
    public TimeSpan InitialJitter { get; init; }

    /// <summary>Up to so much is added to each wait.</summary>
    public TimeSpan IntervalJitter { get; init; }

    /// <summary>Up to so many percent of the interval are added to each wait.</summary>
    public uint IntervalJitterPercent { get; init; }

    /// <summary>The interval until a request has been given an endpoint of the cluster, ever. Default 60 s.</summary>
    public TimeSpan NoTrafficInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The same for healthy endpoints.</summary>
    public TimeSpan? NoTrafficHealthyInterval { get; init; }

    /// <summary>The interval of an unhealthy endpoint; null is the usual one.</summary>
    public TimeSpan? UnhealthyInterval { get; init; }

    /// <summary>The wait after a failure that leaves a healthy endpoint so for now; null is as of an unhealthy one.</summary>
    public TimeSpan? UnhealthyEdgeInterval { get; init; }

    /// <summary>The wait after a success that leaves an unhealthy endpoint so for now; null is the usual one.</summary>
    public TimeSpan? HealthyEdgeInterval { get; init; }

    /// <summary>How often in a row there was no answer, or one that may be tried again, until an endpoint is unhealthy; any other bad answer makes it so at once.</summary>
    public required uint UnhealthyThreshold { get; init; }

    /// <summary>Successes in a row until it is healthy again; the very first success suffices at the start.</summary>
    public required uint HealthyThreshold { get; init; }

    /// <summary>The port to check; 0 is the endpoint's.</summary>
    public ushort AlternatePort { get; init; }

    /// <summary>The connection is used again for the next check. Default true.</summary>
    public bool ReuseConnection { get; init; } = true;

    /// <summary>What is asked.</summary>
    public required HealthProbeModel Probe { get; init; }
}

/// <summary>What a check asks.</summary>
public abstract class HealthProbeModel;

/// <summary>An HTTP request.</summary>
public sealed class HttpHealthProbeModel : HealthProbeModel
{
    /// <summary>Sent as Host; empty is the cluster's name.</summary>
    public string Host { get; init; } = "";

    /// <summary>Path and query.</summary>
    public required string Path { get; init; }

    /// <summary>Default GET.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>Spoken with HTTP/2.</summary>
    public bool UseHttp2 { get; init; }

    /// <summary>Added headers, lower-case; replacing where the flag says so.</summary>
    public IReadOnlyList<(string Name, string Value, bool Replace)> AddHeaders { get; init; } = [];

    /// <summary>Removed headers, lower-case.</summary>
    public IReadOnlyList<string> RemoveHeaders { get; init; } = [];

    /// <summary>Statuses that pass, each from (inclusive) to (exclusive). Default 200.</summary>
    public IReadOnlyList<(long Start, long End)> ExpectedStatuses { get; init; } = [(200, 201)];

    /// <summary>Statuses that count as a failure in a row instead of failing at once.</summary>
    public IReadOnlyList<(long Start, long End)> RetriableStatuses { get; init; } = [];
}

/// <summary>The standard gRPC health service.</summary>
public sealed class GrpcHealthProbeModel : HealthProbeModel
{
    /// <summary>The service asked for; empty is the server as a whole.</summary>
    public string ServiceName { get; init; } = "";

    /// <summary>Sent as :authority; empty is the cluster's name.</summary>
    public string Authority { get; init; } = "";
}

/// <summary>A connection, with bytes to send and to expect.</summary>
public sealed class TcpHealthProbeModel : HealthProbeModel
{
    /// <summary>Sent after connecting; empty only connects.</summary>
    public byte[] Send { get; init; } = [];

    /// <summary>Expected in the answer, in order.</summary>
    public IReadOnlyList<byte[]> Receive { get; init; } = [];
}

/// <summary>Passive checks (<c>config.cluster.v3.OutlierDetection</c>) with Envoy's defaults.</summary>
public sealed record OutlierDetectionModel
{
    /// <summary>5xx in a row until ejection. Default 5.</summary>
    public uint Consecutive5xx { get; init; } = 5;

    /// <summary>502, 503 and 504 in a row until ejection. Default 5.</summary>
    public uint ConsecutiveGatewayFailure { get; init; } = 5;

    /// <summary>Failed connections and timeouts in a row until ejection, where they are counted apart. Default 5.</summary>
    public uint ConsecutiveLocalOriginFailure { get; init; } = 5;

    /// <summary>Percent of detected cases in which ejection happens. Default 100.</summary>
    public uint EnforcingConsecutive5xx { get; init; } = 100;

    /// <summary>Default 0.</summary>
    public uint EnforcingConsecutiveGatewayFailure { get; init; }

    /// <summary>Default 100.</summary>
    public uint EnforcingConsecutiveLocalOriginFailure { get; init; } = 100;

    /// <summary>Default 100.</summary>
    public uint EnforcingSuccessRate { get; init; } = 100;

    /// <summary>Default 100.</summary>
    public uint EnforcingLocalOriginSuccessRate { get; init; } = 100;

    /// <summary>Default 0.</summary>
    public uint EnforcingFailurePercentage { get; init; }

    /// <summary>Default 0.</summary>
    public uint EnforcingFailurePercentageLocalOrigin { get; init; }

    /// <summary>Time between evaluations. Default 10 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The first ejection's length; later ones are multiples. Default 30 s.</summary>
    public TimeSpan BaseEjectionTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest ejection. Default 300 s, at least the base.</summary>
    public TimeSpan MaxEjectionTime { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Up to so much is added to an ejection.</summary>
    public TimeSpan MaxEjectionTimeJitter { get; init; }

    /// <summary>Percent of endpoints that may be ejected. Default 10.</summary>
    public uint MaxEjectionPercent { get; init; } = 10;

    /// <summary>One endpoint may be ejected even where that is more than <see cref="MaxEjectionPercent"/> (<c>always_eject_one_host</c>).</summary>
    public bool AlwaysEjectOne { get; init; }

    /// <summary>Endpoints with enough requests for success rates to be compared. Default 5.</summary>
    public uint SuccessRateMinimumHosts { get; init; } = 5;

    /// <summary>Enough requests. Default 100.</summary>
    public uint SuccessRateRequestVolume { get; init; } = 100;

    /// <summary>Ejected below mean - factor / 1000 * deviation. Default 1900.</summary>
    public uint SuccessRateStdevFactor { get; init; } = 1900;

    /// <summary>Ejected at this failure rate. Default 85.</summary>
    public uint FailurePercentageThreshold { get; init; } = 85;

    /// <summary>Default 5.</summary>
    public uint FailurePercentageMinimumHosts { get; init; } = 5;

    /// <summary>Default 50.</summary>
    public uint FailurePercentageRequestVolume { get; init; } = 50;

    /// <summary>Failures to connect count apart from responses.</summary>
    public bool SplitExternalLocalOriginErrors { get; init; }

    /// <summary>An active check that passes ends an ejection. Default true.</summary>
    public bool SuccessfulActiveCheckUnejects { get; init; } = true;
}
