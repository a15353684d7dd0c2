namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>The encrypted side of a connection. Called by the library in the middle of its work: must not wait, and call nothing of it.</summary>
internal interface IOpenSslWire
{
    /// <summary>Fills <paramref name="buffer"/> from what was received; 0 when nothing is left of it.</summary>
    int Take(Span<byte> buffer);

    /// <summary>Collects what is to be sent.</summary>
    void Put(ReadOnlySpan<byte> data);
}
