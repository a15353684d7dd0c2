namespace Nuncio.DataPlane.Http;

/// <summary>The protocol that a message was received with, or is to be sent with.</summary>
public enum HttpProtocolVersion : byte
{
    /// <summary>HTTP/1.0 (RFC 1945).</summary>
    Http10,

    /// <summary>HTTP/1.1 (RFC 9112).</summary>
    Http11,

    /// <summary>HTTP/2 (RFC 9113).</summary>
    Http2,

    /// <summary>HTTP/3 (RFC 9114).</summary>
    Http3,
}
