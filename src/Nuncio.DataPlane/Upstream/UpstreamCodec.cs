namespace Nuncio.DataPlane.Upstream;

/// <summary>What the connections of a pool carry.</summary>
internal enum UpstreamCodec : byte
{
    /// <summary>HTTP/1.1.</summary>
    Http1,

    /// <summary>HTTP/2.</summary>
    Http2,

    /// <summary>The bytes of a CONNECT request that ends here.</summary>
    Tunnel,
}
