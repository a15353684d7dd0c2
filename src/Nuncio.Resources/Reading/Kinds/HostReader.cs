using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading.Kinds;

/// <summary>Reads Host, Listener and TLSContext.</summary>
internal static class HostReader
{
    private static readonly string[] TlsVersions = ["v1.0", "v1.1", "v1.2", "v1.3"];

    public static HostSpec Host(ObjectReader r)
    {
        var mappingSelector = r.Object("mappingSelector", Selector);
        var selector = r.Object("selector", Selector);
        var insecure = r.Object("requestPolicy", static p => p.Object("insecure", static i => new
        {
            Action = i.Choice<InsecureAction>(
                "action", [("Redirect", InsecureAction.Redirect), ("Reject", InsecureAction.Reject), ("Route", InsecureAction.Route)]),
            AdditionalPort = i.Int32("additionalPort"),
        }));
        return new HostSpec
        {
            Hostname = r.Text("hostname"),
            MappingSelector = mappingSelector ?? selector,
            TlsSecret = r.Object("tlsSecret", static s => new SecretReference(s.Text("name"), s.Text("namespace"))),
            Tls = r.Object("tls", static t => Tls(t, checkVersions: false)),
            TlsContextName = r.Object("tlsContext", Name)?.Value,
            InsecureAction = insecure?.Action,
            InsecureAdditionalPort = insecure?.AdditionalPort,
            AcmeProvider = r.Object("acmeProvider", static a => new AcmeProviderConfig
            {
                Authority = a.Text("authority"),
                Email = a.Text("email"),
                PrivateKeySecretName = a.Object("privateKeySecret", Name)?.Value,
                Registration = a.Text("registration"),
            }),
            PreviewUrl = r.Object("previewUrl", static p => new PreviewUrlConfig(p.Boolean("enabled"), p.TextOf("type", "Path"))),
        };
    }

    public static ListenerSpec Listener(ObjectReader r) => new()
    {
        Port = r.RequiredInt32("port", 1, 65535),
        Protocol = r.Choice<ListenerProtocol>(
            "protocol",
            [
                ("HTTP", ListenerProtocol.Http), ("HTTPS", ListenerProtocol.Https), ("HTTPPROXY", ListenerProtocol.HttpProxy),
                ("HTTPSPROXY", ListenerProtocol.HttpsProxy), ("TCP", ListenerProtocol.Tcp), ("TLS", ListenerProtocol.Tls), ("UDP", ListenerProtocol.Udp),
            ]),
        ProtocolStack = ProtocolStack(r),
        SecurityModel = r.RequiredChoice<SecurityModel>(
            "securityModel", [("XFP", SecurityModel.Xfp), ("SECURE", SecurityModel.Secure), ("INSECURE", SecurityModel.Insecure)]),
        HostBinding = r.RequiredObject("hostBinding", HostBinding) ?? new HostBinding(null, null),
        L7Depth = r.Int32("l7Depth"),
        StatsPrefix = r.Text("statsPrefix"),
        Http2MaxConcurrentStreams = r.Integer("http2MaxConcurrentStreams", 1, uint.MaxValue),
        BindAddress = r.Text("bind_address"),
    };

    public static TlsContextSpec TlsContext(ObjectReader r) => new()
    {
        Hosts = r.TextList("hosts"),
        Secret = r.Text("secret"),
        SecretNamespacing = r.Boolean("secret_namespacing"),
        Config = Tls(r, checkVersions: true),
    };

    private static TlsConfig Tls(ObjectReader r, bool checkVersions) => new()
    {
        CertChainFile = r.Text("cert_chain_file"),
        PrivateKeyFile = r.Text("private_key_file"),
        CaSecret = r.Text("ca_secret"),
        CaCertChainFile = r.Text("cacert_chain_file"),
        CrlSecret = r.Text("crl_secret"),
        AlpnProtocols = r.Text("alpn_protocols"),
        CertRequired = r.Boolean("cert_required"),
        MinTlsVersion = checkVersions ? r.TextOf("min_tls_version", TlsVersions) : r.Text("min_tls_version"),
        MaxTlsVersion = checkVersions ? r.TextOf("max_tls_version", TlsVersions) : r.Text("max_tls_version"),
        CipherSuites = r.TextList("cipher_suites"),
        EcdhCurves = r.TextList("ecdh_curves"),
        RedirectCleartextFrom = r.Int32("redirect_cleartext_from"),
        Sni = r.Text("sni"),
    };

    private static LabelSelector Selector(ObjectReader r)
    {
        var expressions = r.ObjectList("matchExpressions", static e =>
        {
            e.TextList("values");
            return e.RequiredText("key") + e.RequiredText("operator");
        });
        return new LabelSelector(r.TextMap("matchLabels"), expressions is { Count: > 0 });
    }

    private static HostBinding HostBinding(ObjectReader r)
    {
        var from = r.Object("namespace", static n => new
        {
            From = n.Choice<NamespaceSelection>(
                "from", [("SELF", NamespaceSelection.Self), ("ALL", NamespaceSelection.All), ("SELECTOR", NamespaceSelection.Selector)]),
        });
        return new HostBinding(from?.From, r.Object("selector", Selector));
    }

    private static Collections.ValueList<ProtocolLayer>? ProtocolStack(ObjectReader r)
    {
        var layers = r.List("protocolStack", static (owner, node, path) =>
            owner.ToText(node, path) is { } text
            && owner.ToChoice<ProtocolLayer>(
                node, path, text,
                [
                    ("HTTP", ProtocolLayer.Http), ("PROXY", ProtocolLayer.Proxy), ("TLS", ProtocolLayer.Tls),
                    ("TCP", ProtocolLayer.Tcp), ("UDP", ProtocolLayer.Udp),
                ]) is { } layer
                ? new Boxed<ProtocolLayer>(layer)
                : null);
        return layers is null ? null : Collections.ValueList.ToValueList(layers.AsArray().Select(layer => layer.Value));
    }

    private static Boxed<string?> Name(ObjectReader r) => new(r.Text("name"));

    private sealed record Boxed<T>(T Value);
}
