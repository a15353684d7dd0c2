namespace Nuncio.DataPlane.Forwarding;

/// <summary>The router filter's own configuration (<c>extensions.filters.http.router.v3.Router</c>).</summary>
public sealed record RouterOptions
{
    /// <summary>Envoy's defaults.</summary>
    public static RouterOptions Default { get; } = new();

    /// <summary>No x-envoy headers are added to requests or responses.</summary>
    public bool SuppressEnvoyHeaders { get; init; }

    /// <summary>An incoming x-envoy-expected-rq-timeout-ms is the timeout (of a proxy before this one).</summary>
    public bool RespectExpectedTimeout { get; init; }
}
