using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Tls;
using Nuncio.Testing;

namespace Nuncio.DataPlane.Tests.Tls;

/// <summary>Bound <c>DownstreamTlsContext</c>s.</summary>
internal static class DownstreamTls
{
    public static DownstreamTlsModel Bind(TestCertificate certificate, Action<TlsV3.DownstreamTlsContext>? change = null, params string[] protocols)
    {
        var message = Message(certificate, protocols);
        change?.Invoke(message);
        var errors = new BindErrors();
        var model = DownstreamTlsModel.Bind(message, "tls", new SecretTable(), TimeProvider.System, errors);
        errors.All.ShouldBeEmpty();
        return model.ShouldNotBeNull();
    }

    public static TlsV3.DownstreamTlsContext Message(TestCertificate certificate, params string[] protocols) =>
        new()
        {
            CommonTlsContext = new TlsV3.CommonTlsContext
            {
                TlsParams = new TlsV3.TlsParameters(),
                AlpnProtocols = { protocols },
                TlsCertificates =
                {
                    new TlsV3.TlsCertificate
                    {
                        CertificateChain = new CoreV3.DataSource { InlineString = certificate.ChainPem },
                        PrivateKey = new CoreV3.DataSource { InlineString = certificate.KeyPem },
                    },
                },
            },
        };
}
