using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Binding;
using SanType = Envoy.Extensions.TransportSockets.Tls.V3.SubjectAltNameMatcher.Types.SanType;

namespace Nuncio.DataPlane.Tls;

/// <summary>How the other side's certificate is verified. Bound from a <c>CertificateValidationContext</c>; without one nothing is verified, as in Envoy.</summary>
public sealed class ValidationModel
{
    /// <summary>Why <see cref="Verify"/> refuses a certificate that is none of those pinned.</summary>
    public const string NotPinned = "the certificate is not one of those that are pinned";

    /// <summary>Why it refuses one without a wanted name.</summary>
    public const string NoSuchName = "no subject alternative name of the certificate is one of those wanted";

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2Collection? _authorities;
    private readonly List<RevocationList> _revocations = [];
    private readonly List<SubjectNameMatcher> _names = [];
    private readonly HashSet<string> _hashes = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly bool _allowExpired;
    private readonly bool _acceptUntrusted;
    private readonly bool _onlyLeafRevocation;
    private readonly int _maxDepth;

    private ValidationModel(TlsV3.CertificateValidationContext message, X509Certificate2Collection? authorities)
    {
        _authorities = authorities;
        Expiry = message.TrustedCa is not null && authorities is { Count: > 0 } ? authorities[0].NotAfter.ToUniversalTime() : null;
        _allowExpired = message.AllowExpiredCertificate;
        _acceptUntrusted = message.TrustChainVerification == TlsV3.CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted;
        _onlyLeafRevocation = message.OnlyVerifyLeafCertCrl;
        _maxDepth = message.MaxVerifyDepth is { } depth ? (int)Math.Min(depth, 100) : 100;
    }

    /// <summary>A CA is given, so that a certificate that passes is a verified one.</summary>
    public bool HasAuthorities => _authorities is not null;

    /// <summary>When the authority expires that is given, as in Envoy the first of several; null for those of the system, of which some always have expired.</summary>
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
            }
            else if (message.SystemRootCerts is not null)
            {
                using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
                authorities = [.. store.Certificates];
            }

            var model = new ValidationModel(message, authorities);
            return model.BindRest(message, path, errors) ? model : null;
        }
        catch (CryptographicException e)
        {
            errors.Add(path, "it cannot be read: " + e.Message);
            return null;
        }
    }

    /// <summary>Verifies a certificate; null when it passes, else the reason.</summary>
    /// <param name="leaf">What the peer presented.</param>
    /// <param name="intermediates">What it presented beside it.</param>
    /// <param name="peerIsClient">Which key usage is asked for.</param>
    /// <param name="now">The time to verify at.</param>
    /// <param name="subject">A name it must have besides what the message asks for; null for none.</param>
    /// <param name="onlyDnsName">A DNS name that it must have, instead of the names of the message; null leaves them.</param>
    public string? Verify(
        X509Certificate2 leaf, X509Certificate2Collection? intermediates, bool peerIsClient, DateTimeOffset now, string? subject = null, string? onlyDnsName = null)
    {
        ArgumentNullException.ThrowIfNull(leaf);
        if (_authorities is not null && !_acceptUntrusted && VerifyChain(leaf, intermediates, peerIsClient, now) is { } reason)
            return reason;
        if (_hashes.Count + _keys.Count > 0 && !IsPinned(leaf))
            return NotPinned;
        if (subject is not null && !SubjectNameMatcher.Exactly(null, subject).Matches(leaf))
            return "the name of the request is no subject alternative name of the certificate";
        if (onlyDnsName is not null)
            return SubjectNameMatcher.Exactly(SanType.Dns, onlyDnsName).Matches(leaf) ? null : "the SNI is no subject alternative name of the certificate";
        return _names.Count == 0 || _names.Exists(name => name.Matches(leaf)) ? null : NoSuchName;
    }

    private bool BindRest(TlsV3.CertificateValidationContext message, string path, BindErrors errors)
    {
        if (message.Crl is not null)
        {
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

        return errors.Count == before;
    }

    private string? VerifyChain(X509Certificate2 leaf, X509Certificate2Collection? intermediates, bool peerIsClient, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities!);
        if (intermediates is not null)
            chain.ChainPolicy.ExtraStore.AddRange(intermediates);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(peerIsClient ? ClientAuthentication : ServerAuthentication));
        if (_allowExpired)
            chain.ChainPolicy.VerificationFlags |= X509VerificationFlags.IgnoreNotTimeValid;
        if (!chain.Build(leaf) && !EndsAtAuthority(chain))
            return "the certificate does not verify: " + string.Join(", ", chain.ChainStatus.Select(status => status.Status));
        if (chain.ChainElements.Count - 1 > _maxDepth)
            return "the certificate chain is too long";
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

    private string? VerifyRevocation(X509Chain chain, DateTimeOffset now)
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
                    return "the revocation list is out of date";
                if (list.Revokes(certificate))
                    return "the certificate is revoked";
            }

            if (!known)
                return "there is no revocation list of the certificate's issuer";
        }

        return null;
    }

    private bool IsPinned(X509Certificate2 leaf) =>
        _hashes.Contains(leaf.GetCertHashString(HashAlgorithmName.SHA256))
        || _keys.Contains(Convert.ToBase64String(SHA256.HashData(leaf.PublicKey.ExportSubjectPublicKeyInfo())));
}
