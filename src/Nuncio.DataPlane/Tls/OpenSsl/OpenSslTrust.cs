namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>Authorities and revocation lists as OpenSSL wants them, for any number of verifications at once.</summary>
internal sealed class OpenSslTrust
{
    private readonly nint _store;

    private OpenSslTrust(nint store) => _store = store;

    ~OpenSslTrust() => LibCrypto.FreeStore(_store);

    /// <summary>Null where OpenSSL does not take one of them. Only where <see cref="LibSsl.IsAvailable"/>.</summary>
    /// <param name="authorities">Certificates (DER) that are trusted, as they are where they are intermediates.</param>
    /// <param name="revocations">Lists (DER); with any of them, each certificate that is looked at needs one of its issuer's.</param>
    /// <param name="onlyOfLeaf">Only the leaf is looked at.</param>
    public static OpenSslTrust? TryCreate(IEnumerable<byte[]> authorities, IReadOnlyCollection<byte[]> revocations, bool onlyOfLeaf)
    {
        if (LibCrypto.CreateStore() is not (not 0 and var store))
        {
            return null;
        }

        var trust = new OpenSslTrust(store);
        return authorities.All(one => LibCrypto.TryTrust(store, one)) && revocations.All(one => LibCrypto.TryAddRevocations(store, one))
            && LibCrypto.TrySetFlags(store, revocations.Count > 0, onlyOfLeaf) ? trust : null;
    }

    /// <summary>0 when the certificate passes, else OpenSSL's code of the first error.</summary>
    public int Verify(ReadOnlySpan<byte> leaf, IReadOnlyList<byte[]> others, in ChainCheck check)
    {
        var error = LibCrypto.Verify(_store, leaf, others, check);
        GC.KeepAlive(this);
        return error;
    }
}
