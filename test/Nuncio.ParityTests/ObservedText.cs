using Nuncio.Testing.Backends;

namespace Nuncio.ParityTests;

/// <summary>Messages as one text, to compare.</summary>
internal static class ObservedText
{
    /// <summary>A request as an upstream saw it, its headers sorted.</summary>
    public static string Of(BackendRequest request) =>
        $"{request.Method} {request.Target} {request.Version} | "
        + string.Join(" | ", request.Headers.Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal))
        + $" || {request.BodyText} || " + string.Join(", ", request.Trailers.Select(trailer => $"{trailer.Key}: {trailer.Value}"));
}
