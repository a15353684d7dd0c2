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

    /// <summary>Binds the message for QUIC, whose TLS is the platform's; null with errors when it cannot be used.</summary>
    internal static DownstreamTlsModel? BindQuic(
        TlsV3.DownstreamTlsContext message, string path, SecretTable secrets, TimeProvider time, BindErrors errors)
    {
        if (Bind(message, path, secrets, time, errors) is not { } model)
            return null;
        var parameters = BindErrors.Path(path, "common_tls_context.tls_params");
        if (!model._common.Protocols.HasFlag(SslProtocols.Tls13))
            errors.AddPartial(BindErrors.Path(parameters, "tls_maximum_protocol_version"), "QUIC has TLS 1.3 and no other, as with Envoy");

        if (model._common.Curves.Count > 0 && model._settings is not null)
            errors.AddPartial(BindErrors.Path(parameters, "ecdh_curves"), "the TLS of QUIC chooses the curves");
        return model;
    }

    /// <summary>What one QUIC handshake is done with; null when nobody can be let in.</summary>
    /// <param name="serverName">The SNI; empty without.</param>
    /// <param name="metrics">Where failures are counted by their kind; null for nowhere.</param>
    internal QuicHandshake? BeginQuic(string serverName, ListenerMetrics? metrics)
    {
        var validation = _common.Validation;
        if (_common.Certificate is not { } certificate || (_common.WantsValidation && validation is null) || (_requiresSni && serverName.Length == 0))
        {
            metrics?.SslConnectionError.Increment();
            return null;
        }

        var use = UseOf(validation);
        var check = use == ClientCertificateUse.None ? null : new ClientCertificateCheck(use == ClientCertificateUse.Required, validation, _time, metrics);
        var options = OptionsFor(certificate, check, default);

        // There is no other version, and its suites are not chosen from.
        options.EnabledSslProtocols = SslProtocols.Tls13;
        options.CipherSuitesPolicy = null;
        return new QuicHandshake(options, certificate, check);
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
        var validation = _common.Validation;
        if (_common.Certificate is not { } certificate || (_common.WantsValidation && validation is null) || (_requiresSni && serverName.Length == 0))
        {
            metrics?.SslConnectionError.Increment();
            await transport.DisposeAsync();
            return null;
        }

        var use = UseOf(validation);
        var check = use == ClientCertificateUse.None ? null : new ClientCertificateCheck(use == ClientCertificateUse.Required, validation, _time, metrics);
        if (ContextFor(certificate, validation) is { } context)
        {
            var (connection, hasEnded) = await OpenSslTransportConnection.AcceptAsync(transport, prefix, context, check);
            if (connection is not null)
            {
                Describe(connection, certificate, check);
                return connection;
            }

            if (!hasEnded && check is not { IsRefused: true })
                metrics?.SslConnectionError.Increment();
            check?.Release();
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

        var stream = new SslStream(new TransportStream(transport, prefix), leaveInnerStreamOpen: false);
        try
        {
            await stream.AuthenticateAsServerAsync(OptionsFor(certificate, check, prefix.Span), cancellationToken);
            var connection = new SslStreamTransportConnection(transport, stream);
            Describe(connection, certificate, check);
            return connection;
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException
            or System.ComponentModel.Win32Exception or System.Security.Cryptography.CryptographicException)
        {
            if (!transport.IsEndedByPeer && check is not { IsRefused: true })
                metrics?.SslConnectionError.Increment();
            check?.Release();
            transport.Abort();
            await transport.DisposeAsync();
            await stream.DisposeAsync();
            return null;
        }
    }

    private ClientCertificateUse UseOf(ValidationModel? validation) =>
        _requiresCertificate || validation is { NeedsCertificate: true } ? ClientCertificateUse.Required
        : validation is not null ? ClientCertificateUse.Optional
        : ClientCertificateUse.None;

    private static void Describe(TlsTransportConnection connection, TlsCertificateModel certificate, ClientCertificateCheck? check)
    {
        connection.LocalCertificate = certificate.Leaf;
        connection.PeerCertificate = check?.Certificate;
        connection.PeerChain = check?.Chain;
        connection.IsPeerValidated = check is { IsValidated: true };
    }

    // Suites that OpenSSL has other names for, and versions that it may refuse, are left to SslStream.
    private static OpenSslServerSettings? SettingsFor(CommonTlsModel common, TlsV3.DownstreamTlsContext message, string curvesPath, BindErrors errors)
    {
        var ciphers = common.Suites is { } suites ? CipherSuiteNames.OpenSslListOf(suites) : null;
        if (!OpenSslServerSettings.Supports(common.Protocols) || (common.Suites is not null && ciphers is null))
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

    private OpenSslServerContext? ContextFor(TlsCertificateModel certificate, ValidationModel? validation)
    {
        if (_settings is null)
        {
            return null;
        }

        var choice = Volatile.Read(ref _choice);
        if (choice?.Certificate != certificate || choice.Validation != validation)
        {
            choice = new OpenSslChoice(certificate, validation, certificate.ContextFor(_settings with { Clients = UseOf(validation), Validation = validation }));
            Volatile.Write(ref _choice, choice);
        }

        return choice.Context;
    }

    /// <summary>It has protocols to choose from by ALPN, and needs the whole ClientHello in the prefix of <see cref="AcceptAsync"/> to do so.</summary>
    public bool NeedsHello => _common is { ApplicationProtocols.Count: > 0, Certificate: { } certificate } && ContextFor(certificate, _common.Validation) is null;

    private SslServerAuthenticationOptions OptionsFor(TlsCertificateModel certificate, ClientCertificateCheck? check, ReadOnlySpan<byte> hello)
    {
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.Context,
            EnabledSslProtocols = _common.Protocols,
            CipherSuitesPolicy = _common.Ciphers,
            ApplicationProtocols = HasCommonProtocol(hello) ? _common.ApplicationProtocols : null,
            ClientCertificateRequired = check is not null,
            RemoteCertificateValidationCallback = check is null ? null : (_, presented, chain, _) => Accepts(check, presented, chain),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowRenegotiation = false,
            // A resumed session skips verification, and what was valid then may be revoked now.
            AllowTlsResume = _allowsResumption && check is null,
        };
    }

    private sealed record OpenSslChoice(TlsCertificateModel Certificate, ValidationModel? Validation, OpenSslServerContext? Context);

    private static bool Accepts(ClientCertificateCheck check, X509Certificate? presented, X509Chain? chain)
    {
        if (presented is null)
        {
            return check.TryGoWithout();
        }

        var own = presented.GetRawCertData();
        var others = chain?.ChainPolicy.ExtraStore.Select(static one => one.RawData).Where(other => !other.AsSpan().SequenceEqual(own)) ?? [];
        return check.Verify(own, [.. others]) == 0;
    }

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
}
