using Nuncio.DataPlane.Matching;

namespace Nuncio.DataPlane.Model;

/// <summary>Answers with a redirect (RouteV3.RedirectAction).</summary>
public sealed class RedirectModel : RouteActionModel
{
    /// <summary>301, 302, 303, 307 or 308.</summary>
    public required int Status { get; init; }

    /// <summary>The scheme of the location; null keeps the request's.</summary>
    public byte[]? Scheme { get; init; }

    /// <summary>The host; null keeps the request's, with its port where scheme and port stay.</summary>
    public byte[]? Host { get; init; }

    /// <summary>The port with its colon, such as <c>:8443</c>; empty for none.</summary>
    public byte[] Port { get; init; } = [];

    /// <summary>The request's host keeps its port whatever becomes of the scheme, as where TLS is required (Envoy: createSslRedirectPath).</summary>
    public bool KeepsPort { get; init; }

    /// <summary>The whole path, maybe with a query; null keeps the request's.</summary>
    public byte[]? Path { get; init; }

    /// <summary>Rewrites the request's path; null for none.</summary>
    public PathRewriteModel? PathRewrite { get; init; }

    /// <summary>The request's query is dropped.</summary>
    public bool StripQuery { get; init; }
}
