using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using Nuncio.DataPlane.Binding;
using Protocol = Envoy.Extensions.TransportSockets.Tls.V3.TlsParameters.Types.TlsProtocol;

namespace Nuncio.DataPlane.Tls;

/// <summary>What both directions of TLS have in common. Bound from a <c>CommonTlsContext</c>.</summary>
public sealed class CommonTlsModel
{
    private readonly List<SecretState> _certificates = [];
    private SecretState? _validationSecret;
    private ValidationModel? _validation;

    private CommonTlsModel(SslProtocols protocols, List<TlsCipherSuite>? suites, List<string> curves, List<SslApplicationProtocol> applicationProtocols)
    {
        Protocols = protocols;
        Suites = suites;
#pragma warning disable CA1416 // Elsewhere there are none: binding them is an error.
        Ciphers = suites is null ? null : new CipherSuitesPolicy(suites);
#pragma warning restore CA1416
        Curves = curves;
        ApplicationProtocols = applicationProtocols;
    }

    /// <summary>The versions that may be negotiated.</summary>
    public SslProtocols Protocols { get; }

    /// <summary>The suites; null leaves them to the platform.</summary>
    public CipherSuitesPolicy? Ciphers { get; }

    /// <summary>The same one by one.</summary>
    internal IReadOnlyList<TlsCipherSuite>? Suites { get; }

    /// <summary><c>ecdh_curves</c> by OpenSSL's names, in order of preference; empty leaves them to the platform.</summary>
    internal IReadOnlyList<string> Curves { get; }

    /// <summary>ALPN, in order of preference; empty for none.</summary>
    public List<SslApplicationProtocol> ApplicationProtocols { get; }

    /// <summary>A certificate of our own is configured, whether or not it is there now.</summary>
    public bool WantsCertificate => _certificates.Count > 0;

    /// <summary>Our certificate as it is now; null when none is configured or it is missing.</summary>
    public TlsCertificateModel? Certificate
    {
        get
        {
            foreach (var secret in _certificates)
            {
                if (secret.Certificate is { } certificate)
                    return certificate;
            }

            return null;
        }
    }

    /// <summary>When the first of the certificates expires that are here now, authorities included; null without any.</summary>
    internal DateTime? FirstExpiry
    {
        get
        {
            var first = Validation?.Expiry;
            foreach (var secret in _certificates)
            {
                if (secret.Certificate?.Leaf.NotAfter.ToUniversalTime() is { } expiry && !(first <= expiry))
                    first = expiry;
            }

            return first;
        }
    }

    /// <summary>The certificates of our own that are here now, by the name of their secret; empty for those that stand in the configuration itself.</summary>
    internal IEnumerable<(string Name, TlsCertificateModel Certificate)> OwnCertificates
    {
        get
        {
            foreach (var secret in _certificates)
            {
                if (secret.Certificate is { } certificate)
                    yield return (secret.Name, certificate);
            }
        }
    }

    /// <summary>The peer's certificate is to be verified.</summary>
    public bool WantsValidation => _validation is not null || _validationSecret is not null;

    /// <summary>How the peer's certificate is verified now; null when it is not, or when what it takes is missing.</summary>
    public ValidationModel? Validation => _validation ?? _validationSecret?.Validation;

    /// <summary>Binds the message; null with errors when it cannot be used.</summary>
    public static CommonTlsModel? Bind(TlsV3.CommonTlsContext message, string path, SecretTable secrets, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(secrets);
        ArgumentNullException.ThrowIfNull(errors);
        var before = errors.Count;
        if (message.CustomHandshaker is not null || message.CustomTlsCertificateSelector is not null)
            errors.Add(path, "custom_handshaker and custom_tls_certificate_selector are not supported");
        var parameters = message.TlsParams ?? new TlsV3.TlsParameters();
        var names = SplitProtocols(message).ToList();
        if (names.Exists(static name => Encoding.UTF8.GetByteCount(name) > byte.MaxValue))
        {
            // RFC 7301 section 3.1 has one byte for its length.
            errors.Add(BindErrors.Path(path, "alpn_protocols"), "A protocol has at most 255 bytes.");
            names.Clear();
        }

        var ciphers = BindCiphers(parameters, BindErrors.Path(path, "tls_params"), errors);
        var protocols = BindProtocols(parameters, BindErrors.Path(path, "tls_params"), errors);
        var curves = BindCurves(parameters, BindErrors.Path(path, "tls_params"), errors);
        var model = new CommonTlsModel(protocols, ciphers, curves, [.. names.Select(name => new SslApplicationProtocol(name))]);
        model.BindCertificates(message, path, secrets, errors);
        model.BindValidation(message, path, secrets, errors);
        return errors.Count == before ? model : null;
    }

    // Emissary passes "h2,http/1.1" on as one string, and Envoy takes the list apart.
    private static IEnumerable<string> SplitProtocols(TlsV3.CommonTlsContext message) =>
        message.AlpnProtocols.SelectMany(entry => entry.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    private static List<string> BindCurves(TlsV3.TlsParameters parameters, string path, BindErrors errors)
    {
        var curves = new List<string>();
        for (var i = 0; i < parameters.EcdhCurves.Count; i++)
        {
            if (EcdhCurveNames.OpenSslNameOf(parameters.EcdhCurves[i]) is not { } name)
                errors.Add(BindErrors.Path(path, "ecdh_curves", i), $"{parameters.EcdhCurves[i]} is not a curve that is known here");
            else if (!curves.Contains(name))
                curves.Add(name);
        }

        return curves;
    }

    private static List<TlsCipherSuite>? BindCiphers(TlsV3.TlsParameters parameters, string path, BindErrors errors)
    {
        if (parameters.SignatureAlgorithms.Count > 0)
            errors.Add(BindErrors.Path(path, "signature_algorithms"), "not supported");
        if (parameters.CipherSuites.Count == 0)
            return null;
        var suites = new List<TlsCipherSuite>(CipherSuiteNames.Tls13);
        for (var i = 0; i < parameters.CipherSuites.Count; i++)
        {
            if (!CipherSuiteNames.TryParse(parameters.CipherSuites[i], suites))
                errors.Add(BindErrors.Path(path, "cipher_suites", i), $"{parameters.CipherSuites[i]} is not a cipher suite that is known here");
        }

        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            errors.Add(BindErrors.Path(path, "cipher_suites"), "the TLS of this platform does not allow to choose cipher suites");
            return null;
        }

        return suites;
    }

    private static SslProtocols BindProtocols(TlsV3.TlsParameters parameters, string path, BindErrors errors)
    {
        // Envoy's defaults for both directions: 1.2 to 1.3.
        var minimum = parameters.TlsMinimumProtocolVersion == Protocol.TlsAuto ? Protocol.Tlsv12 : parameters.TlsMinimumProtocolVersion;
        var maximum = parameters.TlsMaximumProtocolVersion == Protocol.TlsAuto ? Protocol.Tlsv13 : parameters.TlsMaximumProtocolVersion;
        var protocols = SslProtocols.None;
#pragma warning disable SYSLIB0039, CA5397, CA5398 // Old versions are off unless the manifest asks for them.
        if (minimum <= Protocol.Tlsv10 && maximum >= Protocol.Tlsv10)
            protocols |= SslProtocols.Tls;
        if (minimum <= Protocol.Tlsv11 && maximum >= Protocol.Tlsv11)
            protocols |= SslProtocols.Tls11;
        if (minimum <= Protocol.Tlsv12 && maximum >= Protocol.Tlsv12)
            protocols |= SslProtocols.Tls12;
        if (minimum <= Protocol.Tlsv13 && maximum >= Protocol.Tlsv13)
            protocols |= SslProtocols.Tls13;
#pragma warning restore SYSLIB0039, CA5397, CA5398
        if (protocols == SslProtocols.None)
            errors.Add(path, "the minimum TLS version is above the maximum");
        return protocols;
    }

    private void BindCertificates(TlsV3.CommonTlsContext message, string path, SecretTable secrets, BindErrors errors)
    {
        foreach (var reference in message.TlsCertificateSdsSecretConfigs)
            _certificates.Add(secrets.Find(reference.Name));
        for (var i = 0; i < message.TlsCertificates.Count; i++)
        {
            var inline = new SecretState();
            inline.Replace(TlsCertificateModel.Bind(message.TlsCertificates[i], BindErrors.Path(path, "tls_certificates", i), errors), null);
            _certificates.Add(inline);
        }
    }

    private void BindValidation(TlsV3.CommonTlsContext message, string path, SecretTable secrets, BindErrors errors)
    {
        switch (message.ValidationContextTypeCase)
        {
            case TlsV3.CommonTlsContext.ValidationContextTypeOneofCase.ValidationContext:
                _validation = ValidationModel.Bind(message.ValidationContext, BindErrors.Path(path, "validation_context"), errors);
                break;
            case TlsV3.CommonTlsContext.ValidationContextTypeOneofCase.ValidationContextSdsSecretConfig:
                _validationSecret = secrets.Find(message.ValidationContextSdsSecretConfig.Name);
                break;
            case TlsV3.CommonTlsContext.ValidationContextTypeOneofCase.CombinedValidationContext:
                errors.Add(BindErrors.Path(path, "combined_validation_context"), "not supported");
                break;
        }
    }
}
