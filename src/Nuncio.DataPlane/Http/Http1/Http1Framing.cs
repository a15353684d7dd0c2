namespace Nuncio.DataPlane.Http.Http1;

/// <summary>What the header section says about the message around it; gathered while the fields are read.</summary>
internal struct Http1Framing
{
    /// <summary>Content-Length, or -1.</summary>
    public long ContentLength;

    /// <summary>Transfer-Encoding: chunked, and nothing else.</summary>
    public bool Chunked;

    /// <summary>There was a Transfer-Encoding.</summary>
    public bool HasTransferEncoding;

    /// <summary>There was a Host.</summary>
    public bool HasHost;

    /// <summary>Tokens of Connection.</summary>
    public bool ConnectionClose;

    /// <inheritdoc cref="ConnectionClose"/>
    public bool ConnectionKeepAlive;

    /// <inheritdoc cref="ConnectionClose"/>
    public bool ConnectionUpgrade;

    /// <summary>There was an Upgrade.</summary>
    public bool HasUpgrade;

    /// <summary>Expect: 100-continue.</summary>
    public bool ExpectContinue;
}
