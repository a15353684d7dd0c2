using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Tls.OpenSsl;
using SanType = Envoy.Extensions.TransportSockets.Tls.V3.SubjectAltNameMatcher.Types.SanType;

namespace Nuncio.DataPlane.Tls;

/// <summary>How the other side's certificate is verified. Bound from a <c>CertificateValidationContext</c>; without one nothing is verified, as in Envoy.</summary>
public sealed class ValidationModel
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private static readonly CertificateRefusal NotPinned =
        new(CertificateRefusalKind.Pin, "the certificate is not one of those that are pinned", VerificationErrors.Rejected);

    private readonly X509Certificate2Collection? _authorities;
    private readonly bool _givesAuthorities;
    private readonly List<RevocationList> _revocations = [];
    private readonly List<SubjectNameMatcher> _names = [];
    private readonly HashSet<string> _hashes = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly bool _allowExpired;
    private readonly bool _onlyLeafRevocation;
    private readonly int _maxIntermediates;
    private OpenSslTrust? _trust;

    private ValidationModel(TlsV3.CertificateValidationContext message, X509Certificate2Collection? authorities)
    {
        _authorities = authorities;
        _givesAuthorities = message.TrustedCa is not null;
        Expiry = _givesAuthorities && authorities is { Count: > 0 } ? authorities[0].NotAfter.ToUniversalTime() : null;
        _allowExpired = message.AllowExpiredCertificate;
        AcceptsUntrusted = message.TrustChainVerification == TlsV3.CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted;
        _onlyLeafRevocation = message.OnlyVerifyLeafCertCrl;

        // The authority counts, and one that has issued the leaf itself is within any depth, as Envoy has it.
        _maxIntermediates = message.MaxVerifyDepth is { } depth ? (int)Math.Clamp(depth, 1, 100) - 1 : 100;
    }

    /// <summary>A CA is given, so that a certificate that passes is a verified one.</summary>
    public bool HasAuthorities => _authorities is not null;

    /// <summary>A certificate that does not pass is let in all the same, only not as a verified one (<c>ACCEPT_UNTRUSTED</c>).</summary>
    public bool AcceptsUntrusted { get; }

    /// <summary>
    /// Names or pins are wanted, and somebody without a certificate has none: as in Envoy clients need one then, whatever is said of that elsewhere.
    /// </summary>
    public bool NeedsCertificate => !AcceptsUntrusted && _hashes.Count + _keys.Count + _names.Count > 0;

    /// <summary>A certificate that passes is a verified one: something that is given speaks for it.</summary>
    public bool Validates => HasAuthorities || _hashes.Count + _keys.Count > 0;

    /// <summary>
    /// The certificates (DER) of the authorities that the message gives, for clients to choose their certificate by; none where they are the system's.
    /// </summary>
    internal IEnumerable<byte[]> AuthorityCertificates => _givesAuthorities ? _authorities!.Select(static one => one.RawData) : [];

    /// <summary>
    /// When the authority expires that is given, as in Envoy the first of several; null for those of the system, of which some always have expired.
    /// </summary>
    internal DateTime? Expiry { get; }

    /// <summary>Binds the message; null with an error when it cannot be used, so that nothing goes on unverified.</summary>
    public static ValidationModel? Bind(TlsV3.CertificateValidationContext message, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(errors);
        if (message.CustomValidatorConfig is not null || message.RequireSignedCertificateTimestamp is true)
        {
            errors.Add(path, "custom_validator_config and require_signed_certificate_timestamp are not supported");
            return null;
        }

        try
        {
            X509Certificate2Collection? authorities = null;
            var lists = new List<RevocationList>();
            if (message.TrustedCa is not null)
            {
                if (DataSourceReader.Read(message.TrustedCa, BindErrors.Path(path, "trusted_ca"), errors) is not { } text)
                    return null;
                authorities = PemCertificates.Read(text);
                if (authorities.Count == 0)
                {
                    errors.Add(BindErrors.Path(path, "trusted_ca"), "there is no certificate in it");
                    return null;
                }

                // As Envoy: a list that stands beside the authorities is meant to count.
                lists = RevocationList.ReadPem(text);
            }
            else if (message.SystemRootCerts is not null)
            {
                using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
                authorities = [.. store.Certificates];
            }

            var model = new ValidationModel(message, authorities);
            model._revocations.AddRange(lists);
            if (!model.BindRest(message, path, errors))
            {
                return null;
            }

            if (authorities is not null && LibSsl.IsAvailable)
            {
                model._trust = OpenSslTrust.TryCreate(
                    authorities.Select(static one => one.RawData), [.. model._revocations.Select(static one => one.RawData)], model._onlyLeafRevocation);
                if (model._trust is null)
                {
                    // .NET alone would check less of them than is meant.
                    errors.Add(path, "OpenSSL does not take one of the authorities or revocation lists");
                    return null;
                }
            }

            return model;
        }
        catch (CryptographicException e)
        {
            errors.Add(path, "it cannot be read: " + e.Message);
            return null;
        }
    }

    /// <summary>Verifies a certificate; null when it passes, else the reason, whether or not <see cref="AcceptsUntrusted"/> lets it in all the same.</summary>
    /// <param name="leaf">What the peer presented.</param>
    /// <param name="others">What it presented beside it (DER).</param>
    /// <param name="peerIsClient">Which key usage is asked for.</param>
    /// <param name="now">The time to verify at.</param>
    /// <param name="subject">A name it must have besides what the message asks for; null for none.</param>
    /// <param name="onlyDnsName">A DNS name that it must have, instead of the names of the message; null leaves them.</param>
    public CertificateRefusal? Verify(
        X509Certificate2 leaf, IReadOnlyList<byte[]> others, bool peerIsClient, DateTimeOffset now, string? subject = null, string? onlyDnsName = null)
    {
        ArgumentNullException.ThrowIfNull(leaf);
        ArgumentNullException.ThrowIfNull(others);
        if (_authorities is not null && VerifyChain(leaf, others, peerIsClient, now) is { } reason)
            return reason;
        if (_hashes.Count + _keys.Count > 0 && !IsPinned(leaf))
            return NotPinned;
        if (subject is not null && !SubjectNameMatcher.Exactly(null, subject).Matches(leaf))
            return OfName("the name of the request is no subject alternative name of the certificate");
        if (onlyDnsName is not null)
            return SubjectNameMatcher.Exactly(SanType.Dns, onlyDnsName).Matches(leaf) ? null : OfName("the SNI is no subject alternative name of the certificate");
        return _names.Count == 0 || _names.Exists(name => name.Matches(leaf))
            ? null
            : OfName("no subject alternative name of the certificate is one of those wanted");
    }

    private static CertificateRefusal OfName(string text) => new(CertificateRefusalKind.Name, text, VerificationErrors.NameNotPermitted);

    private static CertificateRefusal OfChain(string text, int error = VerificationErrors.NoIssuer) => new(CertificateRefusalKind.Chain, text, error);

    private bool BindRest(TlsV3.CertificateValidationContext message, string path, BindErrors errors)
    {
        if (message.Crl is not null)
        {
            if (_authorities is null)
            {
                errors.Add(BindErrors.Path(path, "crl"), "without an authority no chain is verified, and nobody would be found to be revoked");
                return false;
            }

            if (DataSourceReader.Read(message.Crl, BindErrors.Path(path, "crl"), errors) is not { } text)
                return false;
            _revocations.AddRange(RevocationList.ReadPem(text));
            if (_revocations.Count == 0)
            {
                errors.Add(BindErrors.Path(path, "crl"), "there is no revocation list in it");
                return false;
            }
        }

        foreach (var hash in message.VerifyCertificateHash)
            _hashes.Add(hash.Replace(":", "", StringComparison.Ordinal));
        _keys.UnionWith(message.VerifyCertificateSpki);
        var before = errors.Count;
        for (var i = 0; i < message.MatchTypedSubjectAltNames.Count; i++)
        {
            if (SubjectNameMatcher.Bind(message.MatchTypedSubjectAltNames[i], BindErrors.Path(path, "match_typed_subject_alt_names", i), errors) is { } matcher)
                _names.Add(matcher);
        }

        for (var i = 0; i < message.MatchSubjectAltNames.Count; i++)
        {
            if (SubjectNameMatcher.Bind(null, message.MatchSubjectAltNames[i], BindErrors.Path(path, "match_subject_alt_names", i), errors) is { } matcher)
                _names.Add(matcher);
        }

        if (_names.Count > 0 && _authorities is null && !AcceptsUntrusted)
            errors.Add(path, "names are worth nothing without an authority: anybody can write them into a certificate");
        return errors.Count == before;
    }

    private CertificateRefusal? VerifyChain(X509Certificate2 leaf, IReadOnlyList<byte[]> others, bool peerIsClient, DateTimeOffset now)
    {
        if (_trust is null)
            return VerifyByPlatform(leaf, others, peerIsClient, now);
        var error = _trust.Verify(leaf.RawDataMemory.Span, others, new ChainCheck(peerIsClient, now, _maxIntermediates, _allowExpired));
        return error == 0 ? null : OfChain("the certificate does not verify: " + LibCrypto.Text(error), error);
    }

    // Where there is no OpenSSL.
    private CertificateRefusal? VerifyByPlatform(X509Certificate2 leaf, IReadOnlyList<byte[]> others, bool peerIsClient, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities!);
        foreach (var other in others)
            chain.ChainPolicy.ExtraStore.Add(X509CertificateLoader.LoadCertificate(other));
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(peerIsClient ? ClientAuthentication : ServerAuthentication));
        if (_allowExpired)
            chain.ChainPolicy.VerificationFlags |= X509VerificationFlags.IgnoreNotTimeValid;
        if (!chain.Build(leaf) && !EndsAtAuthority(chain))
            return OfChain("the certificate does not verify: " + string.Join(", ", chain.ChainStatus.Select(status => status.Status)));
        if (chain.ChainElements.Count - 2 > _maxIntermediates)
            return OfChain("the certificate chain is too long");
        return _revocations.Count == 0 ? null : VerifyRevocation(chain, now);
    }

    // A CA that is itself an intermediate is trusted as it is (OpenSSL's partial chain, which Envoy allows).
    private bool EndsAtAuthority(X509Chain chain)
    {
        foreach (var status in chain.ChainStatus)
        {
            if (status.Status is not (X509ChainStatusFlags.PartialChain or X509ChainStatusFlags.NoError))
                return false;
        }

        foreach (var element in chain.ChainElements)
        {
            foreach (var authority in _authorities!)
            {
                if (authority.RawDataMemory.Span.SequenceEqual(element.Certificate.RawDataMemory.Span))
                    return true;
            }
        }

        return false;
    }

    private CertificateRefusal? VerifyRevocation(X509Chain chain, DateTimeOffset now)
    {
        // The authority at the end vouches for itself.
        var last = Math.Max(1, chain.ChainElements.Count - 1);
        for (var i = 0; i < (_onlyLeafRevocation ? 1 : last); i++)
        {
            var certificate = chain.ChainElements[i].Certificate;
            var known = false;
            foreach (var list in _revocations)
            {
                if (!list.IsFor(certificate))
                    continue;
                known = true;
                if (list.NextUpdate is { } until && until < now)
                    return OfChain("the revocation list is out of date");
                if (list.Revokes(certificate))
                    return OfChain("the certificate is revoked");
            }

            if (!known)
                return OfChain("there is no revocation list of the certificate's issuer");
        }

        return null;
    }

    private bool IsPinned(X509Certificate2 leaf) =>
        _hashes.Contains(leaf.GetCertHashString(HashAlgorithmName.SHA256))
        || _keys.Contains(Convert.ToBase64String(SHA256.HashData(leaf.PublicKey.ExportSubjectPublicKeyInfo())));
}
