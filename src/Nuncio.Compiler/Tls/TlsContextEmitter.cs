using Google.Protobuf;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Naming;
using Nuncio.Resources.Collections;

namespace Nuncio.Compiler.Tls;

/// <summary>Plans to Envoy's TLS messages. Keys go by SDS, so that a new certificate touches no listener and no cluster.</summary>
internal static class TlsContextEmitter
{
    /// <summary>The name of Envoy's TLS transport socket.</summary>
    public const string TransportSocketName = "envoy.transport_sockets.tls";

    /// <summary>TLS towards clients.</summary>
    public static TlsV3.DownstreamTlsContext Downstream(TlsContextPlan plan) => new()
    {
        CommonTlsContext = Common(plan),
        RequireClientCertificate = plan.CertificateRequired,
    };

    /// <summary>TLS towards clients, as a transport socket.</summary>
    public static CoreV3.TransportSocket DownstreamSocket(TlsContextPlan plan) =>
        new() { Name = TransportSocketName, TypedConfig = RouteMessages.Pack(Downstream(plan)) };

    /// <summary>
    /// TLS towards an upstream: the certificate as client certificate, the CA for the chain of the server's certificate, whose names are not compared (SPEC
    /// 6.3).
    /// </summary>
    public static CoreV3.TransportSocket UpstreamSocket(TlsContextPlan plan)
    {
        var context = new TlsV3.UpstreamTlsContext { CommonTlsContext = Common(plan) };
        if (plan.Sni is { } sni) context.Sni = sni;
        return new CoreV3.TransportSocket { Name = TransportSocketName, TypedConfig = RouteMessages.Pack(context) };
    }

    /// <summary>The SDS resources that a plan's messages name.</summary>
    public static IEnumerable<XdsResource<TlsV3.Secret>> Secrets(TlsContextPlan plan)
    {
        if (plan.Certificate is { } certificate) yield return Certificate(certificate);
        if (plan.Validation is { } validation) yield return Validation(validation);
    }

    private static TlsV3.CommonTlsContext Common(TlsContextPlan plan)
    {
        var common = new TlsV3.CommonTlsContext();
        if (plan.MinimumVersion != default || plan.MaximumVersion != default || !plan.CipherSuites.IsEmpty || !plan.Curves.IsEmpty)
        {
            common.TlsParams = new TlsV3.TlsParameters
            {
                TlsMinimumProtocolVersion = plan.MinimumVersion,
                TlsMaximumProtocolVersion = plan.MaximumVersion,
                CipherSuites = { plan.CipherSuites },
                EcdhCurves = { plan.Curves },
            };
        }
        common.AlpnProtocols.AddRange(plan.Alpn);
        if (plan.Certificate is { } certificate) common.TlsCertificateSdsSecretConfigs.Add(Sds(CertificateName(certificate)));
        if (plan.Validation is { } validation) common.ValidationContextSdsSecretConfig = Sds(validation.SecretName);
        return common;
    }

    private static TlsV3.SdsSecretConfig Sds(string name) => new() { Name = name, SdsConfig = XdsSources.Ads() };

    private static string CertificateName(SecretMaterial material) => XdsNames.CertificateSecret(material.Resource.Namespace, material.Resource.Name);

    private static XdsResource<TlsV3.Secret> Certificate(SecretMaterial material)
    {
        var name = CertificateName(material);
        return XdsResource<TlsV3.Secret>.Create(name, new TlsV3.Secret
        {
            Name = name,
            TlsCertificate = new TlsV3.TlsCertificate { CertificateChain = Inline(material.Certificate!), PrivateKey = Inline(material.PrivateKey!) },
        });
    }

    private static XdsResource<TlsV3.Secret> Validation(ValidationPlan plan)
    {
        var context = new TlsV3.CertificateValidationContext { TrustedCa = Inline(plan.UsesRoots ? plan.Ca.Roots! : plan.Ca.Certificate!) };
        if (plan.RevocationList is { } list) context.Crl = Inline(list.RevocationList!);
        return XdsResource<TlsV3.Secret>.Create(plan.SecretName, new TlsV3.Secret { Name = plan.SecretName, ValidationContext = context });
    }

    private static CoreV3.DataSource Inline(SecretBytes bytes) => new() { InlineBytes = ByteString.CopyFrom(bytes.Value.Span) };
}
