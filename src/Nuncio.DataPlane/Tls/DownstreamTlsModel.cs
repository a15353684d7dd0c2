using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tls.OpenSsl;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tls;

/// <summary>TLS towards clients. Bound from a <c>DownstreamTlsContext</c>; shared by all connections of a filter chain.</summary>
public sealed class DownstreamTlsModel
{
    private readonly CommonTlsModel _common;
    private readonly bool _requiresCertificate;
    private readonly bool _requiresSni;
    private readonly bool _allowsResumption;
    private readonly OpenSslServerSettings? _settings;
    private readonly TimeProvider _time;
    private OpenSslChoice? _choice;

    private DownstreamTlsModel(CommonTlsModel common, OpenSslServerSettings? settings, TlsV3.DownstreamTlsContext message, TimeProvider time)
    {
        _settings = settings;
        _common = common;
        _requiresCertificate = message.RequireClientCertificate is true;
        _requiresSni = message.RequireSni is true;
        _allowsResumption = !message.DisableStatelessSessionResumption;
        _time = time;
    }

    /// <inheritdoc cref="CommonTlsModel.FirstExpiry"/>
    internal DateTime? FirstExpiry => _common.FirstExpiry;

    /// <inheritdoc cref="CommonTlsModel.OwnCertificates"/>
    internal IEnumerable<(string Name, TlsCertificateModel Certificate)> OwnCertificates => _common.OwnCertificates;

    /// <summary>Binds the message; null with errors when it cannot be used.</summary>
    public static DownstreamTlsModel? Bind(TlsV3.DownstreamTlsContext message, string path, SecretTable secrets, TimeProvider time, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(errors);
        var before = errors.Count;
        if (message.SessionTicketKeys is not null || message.SessionTicketKeysSdsSecretConfig is not null)
            errors.Add(BindErrors.Path(path, "session_ticket_keys"), "not supported: the platform makes its own");
        if (message.OcspStaplePolicy != TlsV3.DownstreamTlsContext.Types.OcspStaplePolicy.LenientStapling)
            errors.Add(BindErrors.Path(path, "ocsp_staple_policy"), "not supported");
        var common = CommonTlsModel.Bind(message.CommonTlsContext ?? new TlsV3.CommonTlsContext(), BindErrors.Path(path, "common_tls_context"), secrets, errors);
        if (common is { WantsCertificate: false })
            errors.Add(BindErrors.Path(path, "common_tls_context.tls_certificates"), "a server needs a certificate");
        if (common is null || errors.Count > before)
            return null;
        var settings = SettingsFor(common, message, BindErrors.Path(path, "common_tls_context.tls_params.ecdh_curves"), errors);
        if (settings is null)
            FindWithoutEffect(common, message, path, errors);
        return errors.Count > before ? null : new DownstreamTlsModel(common, settings, message, time);
    }

    /// <summary>Does the server's part of the handshake. Null when it fails; the transport is closed then.</summary>
    /// <param name="transport">The connection; owned by the result.</param>
    /// <param name="prefix">Bytes read from it already.</param>
    /// <param name="serverName">The SNI; empty without.</param>
    /// <param name="cancellationToken">Gives up; so does aborting the transport. The caller measures the time.</param>
    /// <param name="metrics">Where failures are counted by their kind; null for nowhere.</param>
    public async ValueTask<TlsTransportConnection?> AcceptAsync(
        TransportConnection transport, ReadOnlyMemory<byte> prefix, string serverName, CancellationToken cancellationToken, ListenerMetrics? metrics = null)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(serverName);
        // Without its certificate, or without what clients are to be verified with, nobody is let in.
        if (_common.Certificate is not { } certificate || (_common.WantsValidation && _common.Validation is null) || (_requiresSni && serverName.Length == 0))
        {
            metrics?.SslConnectionError.Increment();
            await transport.DisposeAsync();
            return null;
        }

        if (ContextFor(certificate) is { } context)
        {
            if (await OpenSslTransportConnection.AcceptAsync(transport, prefix, context) is { } connection)
            {
                connection.LocalCertificate = certificate.Leaf;
                return connection;
            }

            metrics?.SslConnectionError.Increment();
            transport.Abort();
            await transport.DisposeAsync();
            return null;
        }

        if (_settings?.Groups is not null)
        {
            // SslStream would use other curves than those that are asked for.
            metrics?.SslConnectionError.Increment();
            transport.Abort();
            await transport.DisposeAsync();
            return null;
        }

        var peer = new PeerCheck(this, _common.Validation);
        var stream = new SslStream(new TransportStream(transport, prefix), leaveInnerStreamOpen: false);
        try
        {
            await stream.AuthenticateAsServerAsync(OptionsFor(certificate, peer, prefix.Span), cancellationToken);
            return new SslStreamTransportConnection(transport, stream)
            {
                PeerCertificate = peer.Certificate ?? (stream.RemoteCertificate as X509Certificate2),
                PeerChain = peer.Chain,
                IsPeerValidated = peer.IsValidated,
                LocalCertificate = certificate.Leaf,
            };
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException
            or System.ComponentModel.Win32Exception or System.Security.Cryptography.CryptographicException)
        {
            (!peer.IsRefused ? metrics?.SslConnectionError : peer.Certificate is null ? metrics?.SslFailVerifyNoCert
                : ReferenceEquals(peer.Reason, ValidationModel.NoSuchName) ? metrics?.SslFailVerifySan
                : ReferenceEquals(peer.Reason, ValidationModel.NotPinned) ? metrics?.SslFailVerifyCertHash
                : metrics?.SslFailVerifyError)?.Increment();
            transport.Abort();
            await transport.DisposeAsync();
            await stream.DisposeAsync();
            return null;
        }
    }

    private bool AsksForCertificate => _requiresCertificate || _common.WantsValidation;

    private static bool IsAskedForCertificate(CommonTlsModel common, TlsV3.DownstreamTlsContext message) =>
        message.RequireClientCertificate is true || common.WantsValidation;

    // Client certificates are left to SslStream, which our checks are made for; so are suites that OpenSSL has other names for,
    // and versions that it may refuse.
    private static OpenSslServerSettings? SettingsFor(CommonTlsModel common, TlsV3.DownstreamTlsContext message, string curvesPath, BindErrors errors)
    {
        var ciphers = common.Suites is { } suites ? CipherSuiteNames.OpenSslListOf(suites) : null;
        if (!OpenSslServerSettings.Supports(common.Protocols) || IsAskedForCertificate(common, message) || (common.Suites is not null && ciphers is null))
        {
            return null;
        }

        var groups = common.Curves.Where(EcdhCurveNames.IsSupported).ToList();
        if (groups.Count < common.Curves.Count)
        {
            var missing = $"the OpenSSL of this machine does not have {string.Join(", ", common.Curves.Except(groups))}";
            if (groups.Count > 0)
                errors.AddPartial(curvesPath, missing);
            else
                errors.Add(curvesPath, missing);
        }

        return new OpenSslServerSettings
        {
            Versions = common.Protocols,
            Protocols = string.Join(',', common.ApplicationProtocols),
            Ciphers = ciphers,
            Groups = groups.Count > 0 ? string.Join(':', groups) : null,
            PrefersClientCiphers = message.PreferClientCiphers,
            AllowsTickets = !message.DisableStatelessSessionResumption,
            AllowsIdentifiers = !message.DisableStatefulSessionResumption,
            SessionSeconds = message.SessionTimeout is { Seconds: > 0 and <= int.MaxValue and var seconds } ? seconds : null,
        };
    }

    private static void FindWithoutEffect(CommonTlsModel common, TlsV3.DownstreamTlsContext message, string path, BindErrors errors)
    {
        if (common.Curves.Count > 0)
            errors.AddPartial(BindErrors.Path(path, "common_tls_context.tls_params.ecdh_curves"), "the TLS of this platform chooses the curves");
        if (message.DisableStatefulSessionResumption && !message.DisableStatelessSessionResumption)
            errors.AddPartial(
                BindErrors.Path(path, "disable_stateful_session_resumption"),
                "the TLS of this platform resumes sessions by tickets and identifiers or not at all");
        if (message.SessionTimeout is not null)
            errors.AddPartial(BindErrors.Path(path, "session_timeout"), "the TLS of this platform decides how long sessions can be resumed");
        if (message.PreferClientCiphers)
            errors.AddPartial(BindErrors.Path(path, "prefer_client_ciphers"), "the TLS of this platform decides whose preference counts");
    }

    private OpenSslServerContext? ContextFor(TlsCertificateModel certificate)
    {
        if (_settings is null)
        {
            return null;
        }

        var choice = Volatile.Read(ref _choice);
        if (choice?.Certificate != certificate)
        {
            choice = new OpenSslChoice(certificate, certificate.ContextFor(_settings));
            Volatile.Write(ref _choice, choice);
        }

        return choice.Context;
    }

    /// <summary>It has protocols to choose from by ALPN, and needs the whole ClientHello in the prefix of <see cref="AcceptAsync"/> to do so.</summary>
    public bool NeedsHello => _common is { ApplicationProtocols.Count: > 0, Certificate: { } certificate } && ContextFor(certificate) is null;

    private SslServerAuthenticationOptions OptionsFor(TlsCertificateModel certificate, PeerCheck peer, ReadOnlySpan<byte> hello)
    {
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.Context,
            EnabledSslProtocols = _common.Protocols,
            CipherSuitesPolicy = _common.Ciphers,
            ApplicationProtocols = HasCommonProtocol(hello) ? _common.ApplicationProtocols : null,
            ClientCertificateRequired = AsksForCertificate,
            RemoteCertificateValidationCallback = AsksForCertificate ? peer.Verify : null,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowRenegotiation = false,
            // A resumed session skips verification, and what was valid then may be revoked now.
            AllowTlsResume = _allowsResumption && !AsksForCertificate,
        };
    }

    private sealed record OpenSslChoice(TlsCertificateModel Certificate, OpenSslServerContext? Context);

    // Without one in common Envoy goes on without ALPN; the platform would refuse the client.
    private bool HasCommonProtocol(ReadOnlySpan<byte> bytes)
    {
        if (_common.ApplicationProtocols.Count == 0)
        {
            return false;
        }

        if (ClientHello.TryParse(bytes, out var hello) != ClientHelloOutcome.Found)
        {
            return true;
        }

        foreach (var offered in hello!.ApplicationProtocols)
        {
            foreach (var ours in _common.ApplicationProtocols)
            {
                if (System.Text.Ascii.Equals(ours.Protocol.Span, offered))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private sealed class PeerCheck(DownstreamTlsModel model, ValidationModel? validation)
    {
        public X509Certificate2? Certificate { get; private set; }

        public IReadOnlyList<X509Certificate2>? Chain { get; private set; }

        public bool IsValidated { get; private set; }

        /// <summary>Why the client's certificate is refused; null where it is not.</summary>
        public string? Reason { get; private set; }

        /// <summary>The handshake fails for the client's certificate, or for want of one.</summary>
        public bool IsRefused { get; private set; }

        public bool Verify(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            IsRefused = !Accepts(certificate, chain);
            return !IsRefused;
        }

        private bool Accepts(X509Certificate? certificate, X509Chain? chain)
        {
            if (certificate is null)
                return !model._requiresCertificate;
            Certificate = new X509Certificate2(certificate);
            var sent = new X509Certificate2Collection();
            if (chain is not null)
                sent.AddRange(chain.ChainPolicy.ExtraStore);
            Chain = [Certificate, .. sent.Where(other => !other.RawDataMemory.Span.SequenceEqual(Certificate.RawDataMemory.Span)).Select(other => new X509Certificate2(other))];
            if (validation is null)
                return true;
            Reason = validation.Verify(Certificate, sent, peerIsClient: true, model._time.GetUtcNow());
            var isGood = Reason is null;
            IsValidated = isGood && validation.HasAuthorities;
            return isGood;
        }
    }
}
