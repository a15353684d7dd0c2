using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Routing;

/// <summary>The route of a request that should have come by TLS, where its virtual host requires that: the same URL with https.</summary>
internal static class TlsRedirectRoute
{
    /// <summary>The one there is.</summary>
    public static RouteModel Instance { get; } = new()
    {
        Name = "",
        Match = new RouteMatchModel { Kind = PathMatchKind.Prefix, Literal = "/"u8.ToArray() },
        Action = new RedirectModel { Status = 301, Scheme = "https"u8.ToArray(), KeepsPort = true },
        RequestHeaders = HeaderMutationsModel.None,
        ResponseHeaders = HeaderMutationsModel.None,
        FilterConfigs = FilterConfigMap.Empty,
        Message = new RouteV3.Route(),
    };
}
