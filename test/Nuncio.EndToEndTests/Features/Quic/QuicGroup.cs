namespace Nuncio.EndToEndTests.Features.Quic;

/// <summary>Tests of HTTP/3 that share a gateway with HTTP/3 beside TLS on one port.</summary>
[CollectionDefinition(nameof(QuicGroup))]
[Manifest("""
    Listener tcp: { port: $(port), protocol: HTTPS, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
    Listener quic: { port: $(port), protocolStack: [TLS, HTTP, UDP], securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
    Secret quic: $(pair:quic.example.com)
    Host quic: { hostname: quic.example.com, tlsSecret: { name: quic } }
    Module ambassador: { config: { forward_client_cert_details: SANITIZE_SET, set_current_client_cert_details: { subject: true } } }
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    """)]
public class QuicGroup : ICollectionFixture<GatewayOf<QuicGroup>>;
