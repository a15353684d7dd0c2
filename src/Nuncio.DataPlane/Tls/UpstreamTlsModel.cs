using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tls;

/// <summary>TLS towards upstreams. Bound from an <c>UpstreamTlsContext</c>. As in Envoy the upstream is not verified unless the message says against what.</summary>
public sealed class UpstreamTlsModel : UpstreamTransportModel
{
    private readonly CommonTlsModel _common;
    private readonly string _sni;
    private readonly bool _hostNameIsSni;
    private readonly bool _sniIsSubject;
    private readonly bool _allowsResumption;
    private readonly bool _allowsRenegotiation;
    private readonly TimeProvider _time;

    private UpstreamTlsModel(CommonTlsModel common, TlsV3.UpstreamTlsContext message, TimeProvider time)
    {
        _common = common;
        _sni = message.Sni;
        _hostNameIsSni = message.AutoHostSni;
        _sniIsSubject = message.AutoSniSanValidation;
        _allowsResumption = message.MaxSessionKeys is not 0;
        _allowsRenegotiation = message.AllowRenegotiation;
        _time = time;
    }

    /// <inheritdoc/>
    public override bool IsTls => true;

    /// <inheritdoc cref="CommonTlsModel.FirstExpiry"/>
    internal DateTime? FirstExpiry => _common.FirstExpiry;

    /// <inheritdoc cref="CommonTlsModel.OwnCertificates"/>
    internal IEnumerable<(string Name, TlsCertificateModel Certificate)> OwnCertificates => _common.OwnCertificates;

    /// <summary>Binds a transport socket: TLS, or null for cleartext or with errors when it cannot be used.</summary>
    public static UpstreamTransportModel? Bind(CoreV3.TransportSocket socket, string path, SecretTable secrets, TimeProvider time, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(errors);
        var typed = socket.TypedConfig;
        if (typed is not null && typed.Is(Envoy.Extensions.TransportSockets.RawBuffer.V3.RawBuffer.Descriptor))
            return null;
        if (typed is null || !typed.TryRead<TlsV3.UpstreamTlsContext>(out var message))
        {
            errors.Add(BindErrors.Path(path, "typed_config"), $"{typed?.TypeUrl ?? "nothing"} is not a transport socket that is known here");
            return null;
        }

        path = BindErrors.Path(path, "typed_config");
        if (message.AutoSniSanValidation && message.CommonTlsContext?.ValidationContextTypeCase is null or TlsV3.CommonTlsContext.ValidationContextTypeOneofCase.None)
            errors.Add(BindErrors.Path(path, "auto_sni_san_validation"), "it needs a validation context to take effect");
        if (message.EnforceRsaKeyUsage is not null)
            errors.AddPartial(BindErrors.Path(path, "enforce_rsa_key_usage"), "the TLS of this platform decides; this has no effect");
        var common = CommonTlsModel.Bind(message.CommonTlsContext ?? new TlsV3.CommonTlsContext(), BindErrors.Path(path, "common_tls_context"), secrets, errors);
        if (common is { Curves.Count: > 0 })
            errors.AddPartial(
                BindErrors.Path(path, "common_tls_context.tls_params.ecdh_curves"), "the TLS of this platform chooses the curves towards upstreams");
        return common is null ? null : new UpstreamTlsModel(common, message, time);
    }

    /// <inheritdoc/>
    public override async ValueTask<UpstreamHandshake> HandshakeAsync(
        TransportConnection connection, IPEndPoint remote, UpstreamHandshakeOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(options);
        var certificate = _common.Certificate;
        if ((_common.WantsCertificate && certificate is null) || (_common.WantsValidation && _common.Validation is null))
            return await FailAsync(connection, null, "TLS_error: a secret of the TLS context is missing");
        var validation = _common.Validation;
        var sni = options.ServerName ?? (_hostNameIsSni && options.HostName.Length > 0 ? options.HostName : _sni);
        string? refused = null;
        var stream = new SslStream(new TransportStream(connection, default), leaveInnerStreamOpen: false);
        try
        {
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = sni,
                    ClientCertificateContext = certificate?.Context,
                    EnabledSslProtocols = _common.Protocols,
                    CipherSuitesPolicy = _common.Ciphers,
                    ApplicationProtocols = _common.ApplicationProtocols.Count > 0
                        ? _common.ApplicationProtocols
                        : [.. options.ApplicationProtocols.Select(name => new SslApplicationProtocol(name))],
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    AllowRenegotiation = _allowsRenegotiation,
                    AllowTlsResume = _allowsResumption,
                    RemoteCertificateValidationCallback = (_, presented, chain, _) =>
                    {
                        refused = Verify(validation, presented, chain, options.SubjectName, sni);
                        return refused is null;
                    },
                },
                cancellationToken);
            return new UpstreamHandshake(TransportConnect.Of(new SslStreamTransportConnection(connection, stream)), stream.NegotiatedApplicationProtocol.ToString());
        }
        catch (OperationCanceledException)
        {
            return await FailAsync(connection, stream, "TLS_error: the handshake took too long", StreamResetReason.ConnectionTimeout);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or ObjectDisposedException or InvalidOperationException
            or ArgumentException or System.ComponentModel.Win32Exception or System.Security.Cryptography.CryptographicException)
        {
            return await FailAsync(connection, stream, "TLS_error: " + (refused ?? e.InnerException?.Message ?? e.Message));
        }
    }

    // Asked for a name without being told whom to trust, Envoy trusts nobody.
    private string? Verify(ValidationModel? validation, X509Certificate? presented, X509Chain? chain, string? subject, string sni) =>
        validation is null && subject is null ? null
        : presented is null ? "the upstream has no certificate"
        : subject is not null && validation is not { HasAuthorities: true } ? "there is no authority to verify the certificate with"
        : validation!.Verify(
            X509CertificateLoader.LoadCertificate(presented.GetRawCertData()), SentBeside(chain), peerIsClient: false, _time.GetUtcNow(), subject,
            _sniIsSubject && sni.Length > 0 ? sni : null) is { } refusal && !validation.AcceptsUntrusted ? refusal.Text : null;

    private static List<byte[]> SentBeside(X509Chain? chain) => chain is null ? [] : [.. chain.ChainPolicy.ExtraStore.Select(static one => one.RawData)];

    private static async ValueTask<UpstreamHandshake> FailAsync(
        TransportConnection connection, SslStream? stream, string message, StreamResetReason reason = StreamResetReason.ConnectionFailure)
    {
        connection.Abort();
        await connection.DisposeAsync();
        if (stream is not null)
            await stream.DisposeAsync();
        return new UpstreamHandshake(new TransportConnect(null, reason, message), "");
    }
}
