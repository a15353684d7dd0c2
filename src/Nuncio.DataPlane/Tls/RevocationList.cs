using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.DataPlane.Tls;

/// <summary>
/// A certificate revocation list (RFC 5280 section 5). Where there is no OpenSSL to check its signature, it counts as part of the configuration, as trusted as
/// the CA beside it.
/// </summary>
internal sealed class RevocationList
{
    private readonly byte[] _issuer;
    private readonly HashSet<string> _serials;

    private RevocationList(byte[] der, byte[] issuer, DateTimeOffset? nextUpdate, HashSet<string> serials)
    {
        RawData = der;
        _issuer = issuer;
        NextUpdate = nextUpdate;
        _serials = serials;
    }

    /// <summary>The list itself (DER).</summary>
    public byte[] RawData { get; }

    /// <summary>From then on the list is out of date and, as in OpenSSL, nothing it is about can be verified; null for never.</summary>
    public DateTimeOffset? NextUpdate { get; }

    /// <summary>Whether it is about the certificates of that certificate's issuer.</summary>
    public bool IsFor(X509Certificate2 certificate) => certificate.IssuerName.RawData.AsSpan().SequenceEqual(_issuer);

    /// <summary>Whether the certificate is on it.</summary>
    public bool Revokes(X509Certificate2 certificate) => _serials.Contains(Convert.ToHexString(certificate.SerialNumberBytes.Span).TrimStart('0'));

    /// <summary>All lists of a PEM text.</summary>
    /// <exception cref="CryptographicException">One of them is damaged.</exception>
    public static List<RevocationList> ReadPem(string text)
    {
        var lists = new List<RevocationList>();
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (rest[fields.Label].SequenceEqual("X509 CRL"))
            {
                var der = new byte[fields.DecodedDataLength];
                Convert.TryFromBase64Chars(rest[fields.Base64Data], der, out var length);
                lists.Add(Read(der.AsMemory(0, length)));
            }

            rest = rest[fields.Location.End..];
        }

        return lists;
    }

    private static RevocationList Read(ReadOnlyMemory<byte> der)
    {
        try
        {
            var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            if (list.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
                list.ReadInteger();
            list.ReadSequence();
            var issuer = list.ReadEncodedValue().ToArray();
            ReadTime(list);
            var nextUpdate = list.HasData && IsTime(list.PeekTag()) ? ReadTime(list) : (DateTimeOffset?)null;
            var serials = new HashSet<string>(StringComparer.Ordinal);
            if (list.HasData && list.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
            {
                var revoked = list.ReadSequence();
                while (revoked.HasData)
                    serials.Add(Convert.ToHexString(revoked.ReadSequence().ReadIntegerBytes().Span).TrimStart('0'));
            }

            return new RevocationList(der.ToArray(), issuer, nextUpdate, serials);
        }
        catch (AsnContentException e)
        {
            throw new CryptographicException("The revocation list is damaged.", e);
        }
    }

    private static bool IsTime(Asn1Tag tag) => tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
