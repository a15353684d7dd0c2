namespace Nuncio.EndToEndTests.Features.Edge;

/// <summary>
/// One gateway with many Listeners and Hosts. Hosts with the label <c>on: main</c> are on the Listener of the port that requests go to, and on those that say
/// so.
/// </summary>
[CollectionDefinition(nameof(EdgeGroup))]
[Manifest("""
    Module ambassador: { config: { forward_client_cert_details: SANITIZE_SET, set_current_client_cert_details: { subject: true } } }
    Listener main: { port: $(port), protocol: HTTPS, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: main } } } }
    Host default/routing {on: main}: { hostname: routing.example.com, requestPolicy: { insecure: { action: Route } } }
    Host default/redirecting {on: main}: { hostname: redirecting.example.com }
    Host default/rejecting {on: main}: { hostname: rejecting.example.com, requestPolicy: { insecure: { action: Reject } } }
    Secret secure: $(pair:secure.example.com)
    Host default/secure {on: main}: { hostname: secure.example.com, tlsSecret: { name: secure } }
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    Mapping acme: { hostname: "*", prefix: /.well-known/acme-challenge/, rewrite: "", service: $(acme) }
    """)]
public class EdgeGroup : ICollectionFixture<GatewayOf<EdgeGroup>>;
