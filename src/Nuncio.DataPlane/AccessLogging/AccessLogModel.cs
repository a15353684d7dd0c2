using Nuncio.DataPlane.Formatting;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>One access log of a connection manager (AccessLogV3.AccessLog with a file or stream logger).</summary>
public sealed class AccessLogModel
{
    /// <summary>Which requests; null is all.</summary>
    public AccessLogFilter? Filter { get; init; }

    /// <summary>Makes the line, with its line end.</summary>
    public required SubstitutionFormat Format { get; init; }

    /// <summary>Where lines go.</summary>
    public required string Path { get; init; }

    /// <summary>Takes lines.</summary>
    public required AccessLogFile File { get; init; }
}
