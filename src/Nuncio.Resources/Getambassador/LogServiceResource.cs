using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>A remote access log (kind LogService). Spec section 10.6.</summary>
public sealed record LogServiceResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "LogService";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required LogServiceSpec Spec { get; init; }
}

/// <summary>The fields of a LogService.</summary>
public sealed record LogServiceSpec
{
    /// <summary>Required, but the schema does not say so.</summary>
    public string? Service { get; init; }

    /// <summary><c>tcp</c> or <c>http</c>.</summary>
    public string? Driver { get; init; }

    /// <summary><c>driver_config.additional_log_headers</c>.</summary>
    public ValueList<LoggedHeader>? AdditionalLogHeaders { get; init; }

    /// <summary>Seconds.</summary>
    public long? FlushIntervalTime { get; init; }

    /// <summary>Bytes.</summary>
    public long? FlushIntervalByteSize { get; init; }

    public bool? Grpc { get; init; }

    /// <summary><c>v2</c> (when null) or <c>v3</c>.</summary>
    public string? ProtocolVersion { get; init; }

    public string? StatsName { get; init; }
}

/// <summary>A header that goes into the log; the switches are true when null.</summary>
public sealed record LoggedHeader(string? HeaderName, bool? DuringRequest, bool? DuringResponse, bool? DuringTrailer);
