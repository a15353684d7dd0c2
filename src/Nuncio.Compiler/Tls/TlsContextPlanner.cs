using Nuncio.Resources.Getambassador;
using TlsProtocol = Envoy.Extensions.TransportSockets.Tls.V3.TlsParameters.Types.TlsProtocol;

namespace Nuncio.Compiler.Tls;

/// <summary>Turns drafts into plans: finds their Secrets and leaves out, with a finding, what Envoy would refuse (SPEC 6.2).</summary>
/// <param name="secrets">The Secrets there are.</param>
/// <param name="secretNamespacing">The Module's <c>defaults.tls_secret_namespacing</c>.</param>
/// <param name="findings">Where what is wrong goes.</param>
internal sealed class TlsContextPlanner(SecretCatalog secrets, bool secretNamespacing, FindingSink findings)
{
    /// <summary>
    /// The plan; null when using the context would protect less than what was asked for. A context without certificate is a plan too: it can originate TLS.
    /// </summary>
    /// <param name="draft">What was written.</param>
    /// <param name="inherited">The certificate to use where the draft names none: that of the Host that uses it.</param>
    public TlsContextPlan? Plan(TlsContextDraft draft, SecretMaterial? inherited = null)
    {
        var config = draft.Config;
        if (config.RedirectCleartextFrom is not null)
        {
            findings.Notice(
                draft.Origin,
                FindingCodes.FieldWithoutEffect,
                $"{draft.FieldPath}.redirect_cleartext_from",
                "has no effect since Listeners exist: the Host's requestPolicy.insecure.action redirects");
        }
        if (UsesFiles(draft)) return null;

        var certificate = inherited;
        if (draft.Secret is { Length: > 0 } secret)
        {
            certificate = FindKeyPair(draft, secret);
            if (certificate is null) return null;
        }
        if (!TryPlanValidation(draft, certificate, out var validation, out var required)) return null;
        if (!TryVersion(draft, "min_tls_version", config.MinTlsVersion, out var minimum)) return null;
        if (!TryVersion(draft, "max_tls_version", config.MaxTlsVersion, out var maximum)) return null;
        if (minimum != TlsProtocol.TlsAuto && maximum != TlsProtocol.TlsAuto && minimum > maximum)
        {
            Error(draft, FindingCodes.TlsVersionInvalid, "min_tls_version", $"{config.MinTlsVersion} is above max_tls_version {config.MaxTlsVersion}");
            return null;
        }
        if (!TryNames(draft, "cipher_suites", config.CipherSuites, TlsVocabulary.IsCipherSuite, FindingCodes.TlsCipherSuiteUnknown, out var suites))
            return null;
        if (!TryNames(draft, "ecdh_curves", config.EcdhCurves, TlsVocabulary.IsCurve, FindingCodes.TlsCurveUnknown, out var curves)) return null;
        return new TlsContextPlan
        {
            Name = draft.Name,
            Namespace = draft.Namespace,
            Origin = draft.Origin,
            Hosts = draft.Hosts.AsArray(),
            Certificate = certificate,
            Validation = validation,
            CertificateRequired = required,
            MinimumVersion = minimum,
            MaximumVersion = maximum,
            CipherSuites = suites,
            Curves = curves,
            Alpn = PlanAlpn(draft),
            Sni = config.Sni is { Length: > 0 } sni ? sni : null,
        };
    }

    /// <summary>The Secret that a text of this draft names, whatever it holds; null with the reason when there is none.</summary>
    public SecretMaterial? Find(TlsContextDraft draft, string text, out string problem)
    {
        var (name, @namespace) = Split(draft, text);
        return secrets.Find(@namespace, name, out problem);
    }

    private (string Name, string Namespace) Split(TlsContextDraft draft, string text)
    {
        var dot = draft.SecretNamespacing ?? secretNamespacing ? text.LastIndexOf('.') : -1;
        return dot > 0 && dot < text.Length - 1 ? (text[..dot], text[(dot + 1)..]) : (text, draft.Namespace);
    }

    private bool UsesFiles(TlsContextDraft draft)
    {
        var config = draft.Config;
        var field = config.CertChainFile is { Length: > 0 } ? "cert_chain_file"
            : config.PrivateKeyFile is { Length: > 0 } ? "private_key_file"
            : config.CaCertChainFile is { Length: > 0 } ? "cacert_chain_file"
            : null;
        if (field is null) return false;
        Error(draft, FindingCodes.TlsFileNotSupported, field, "certificates and keys are read from Secrets, not from files; the TLS context is not used");
        return true;
    }

    private SecretMaterial? FindKeyPair(TlsContextDraft draft, string secret)
    {
        if (Find(draft, secret, out var problem) is not { } material)
        {
            Error(draft, FindingCodes.SecretNotFound, "secret", problem);
            return null;
        }
        if (KeyPairProblem(material) is { } wrong)
        {
            Error(draft, FindingCodes.SecretInvalid, "secret", $"Secret {material.Name} cannot be used: {wrong}");
            return null;
        }
        return material;
    }

    /// <summary>Why a Secret cannot serve as certificate and key; null when it can.</summary>
    public static string? KeyPairProblem(SecretMaterial material)
    {
        if (material.Certificate is null) return "there is no certificate in it";
        if (material.PrivateKey is null) return "there is no private key in it";
        return material.KeyPairProblem;
    }

    private bool TryPlanValidation(TlsContextDraft draft, SecretMaterial? certificate, out ValidationPlan? validation, out bool? required)
    {
        validation = null;
        required = draft.Config.CertRequired;
        SecretMaterial? revocation = null;
        if (draft.Config.CrlSecret is { Length: > 0 } crl)
        {
            revocation = Find(draft, crl, out var problem);
            problem = revocation is null ? problem
                : revocation.RevocationList is null ? $"Secret {revocation.Name} has no crl.pem"
                : revocation.RevocationListProblem is { } wrong ? $"Secret {revocation.Name} cannot be used: {wrong}"
                : "";
            if (problem.Length > 0)
            {
                Error(draft, revocation is null ? FindingCodes.SecretNotFound : FindingCodes.SecretInvalid, "crl_secret", problem);
                return false;
            }
        }
        if (draft.Config.CaSecret is { Length: > 0 } ca)
        {
            if (Find(draft, ca, out var problem) is not { } material)
            {
                Error(draft, FindingCodes.SecretNotFound, "ca_secret", problem);
                return false;
            }
            var wrong = material.Certificate is null ? "there is no certificate in it" : material.CertificateProblem;
            if (wrong is not null)
            {
                Error(draft, FindingCodes.SecretInvalid, "ca_secret", $"Secret {material.Name} cannot be used: {wrong}");
                return false;
            }
            required = material.CertificateRequired ?? required;
            validation = new ValidationPlan(material, UsesRoots: false, revocation);
        }
        else if (certificate?.Roots is not null)
        {
            if (certificate.RootsProblem is { } wrong)
            {
                Error(draft, FindingCodes.SecretInvalid, "secret", $"root-cert.pem of Secret {certificate.Name} cannot be used: {wrong}");
                return false;
            }
            validation = new ValidationPlan(certificate, UsesRoots: true, revocation);
        }
        else if (revocation is not null)
        {
            Error(draft, FindingCodes.TlsValidationWithoutCa, "crl_secret", "a revocation list needs ca_secret: without it no certificate is checked");
            return false;
        }
        if (required == true && validation is null)
        {
            // Emissary then asks for a certificate and takes any: less than what was meant.
            findings.Warning(
                draft.Origin,
                FindingCodes.TlsValidationWithoutCa,
                $"{draft.FieldPath}.cert_required",
                "a client certificate is required but, without ca_secret, not checked");
        }
        return true;
    }

    private bool TryVersion(TlsContextDraft draft, string field, string? text, out TlsProtocol version)
    {
        version = TlsProtocol.TlsAuto;
        if (text is null) return true;
        if (TlsVocabulary.Version(text) is { } known)
        {
            version = known;
            return true;
        }
        Error(draft, FindingCodes.TlsVersionInvalid, field, $"'{text}' is none of v1.0, v1.1, v1.2 and v1.3");
        return false;
    }

    private bool TryNames(
        TlsContextDraft draft,
        string field,
        ValueList<string>? names,
        Func<string, bool> isKnown,
        string code,
        out ImmutableArray<string> known)
    {
        known = [];
        if (names is null or { Count: 0 }) return true;
        var kept = ImmutableArray.CreateBuilder<string>(names.Count);
        var excludes = false;
        for (var i = 0; i < names.Count; i++)
        {
            if (isKnown(names[i]))
            {
                kept.Add(names[i]);
                continue;
            }
            excludes |= names[i].StartsWith('!') || names[i].StartsWith('-');
            Error(draft, code, $"{field}[{i}]", $"'{names[i]}' is not a name that Envoy's TLS library knows");
        }
        known = kept.ToImmutable();

        // With none left the default would apply, and without an exclusion something that was not wanted.
        return known.Length > 0 && !excludes;
    }

    private ImmutableArray<string> PlanAlpn(TlsContextDraft draft)
    {
        if (draft.Config.AlpnProtocols is not { } text) return [];
        var protocols = ImmutableArray.CreateBuilder<string>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.Length > byte.MaxValue) Error(draft, FindingCodes.TlsAlpnInvalid, "alpn_protocols", "a protocol name has at most 255 bytes (RFC 7301)");
            else protocols.Add(part);
        }
        return protocols.ToImmutable();
    }

    private void Error(TlsContextDraft draft, string code, string field, string message) =>
        findings.Error(draft.Origin, code, $"{draft.FieldPath}.{field}", message);
}
