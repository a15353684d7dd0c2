using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>One access log of a connection manager (AccessLogV3.AccessLog).</summary>
public abstract class AccessLogModel
{
    /// <summary>Which requests; null is all.</summary>
    public AccessLogFilter? Filter { get; init; }

    /// <summary>Takes a request that has ended. Does not wait.</summary>
    public abstract void Write(HttpExchange exchange);
}

/// <summary>Lines in a file or on standard output.</summary>
public sealed class FileAccessLogModel : AccessLogModel
{
    /// <summary>Makes the line, with its line end.</summary>
    public required SubstitutionFormat Format { get; init; }

    /// <summary>Where lines go.</summary>
    public required string Path { get; init; }

    /// <summary>Takes lines.</summary>
    public required AccessLogFile File { get; init; }

    /// <inheritdoc/>
    public override void Write(HttpExchange exchange)
    {
        var line = FormatBuffer.Rent();
        Format.Write(exchange, line);
        File.Write(line.Written);
        line.Return();
    }
}
