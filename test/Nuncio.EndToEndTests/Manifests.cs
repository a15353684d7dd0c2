using System.Globalization;

namespace Nuncio.EndToEndTests;

/// <summary>Manifests as users write them; PORT stands for the port of the test's Listener.</summary>
internal static class Manifests
{
    public const string Listener = """
        apiVersion: getambassador.io/v3alpha1
        kind: Listener
        metadata: { name: test, namespace: default }
        spec:
          port: PORT
          protocol: HTTPS
          securityModel: XFP
          hostBinding: { namespace: { from: ALL } }
        ---

        """;

    public const string ListenerAndHost = Listener + """
        apiVersion: getambassador.io/v3alpha1
        kind: Host
        metadata: { name: everywhere, namespace: default }
        spec:
          hostname: "*"
          requestPolicy: { insecure: { action: Route } }
        ---

        """;

    /// <summary>A Listener for cleartext on a port of its own.</summary>
    public static string ListenerAt(string name, int port) => string.Create(CultureInfo.InvariantCulture, $$"""
        apiVersion: getambassador.io/v3alpha1
        kind: Listener
        metadata: { name: {{name}}, namespace: default }
        spec: { port: {{port}}, protocol: HTTP, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
        ---

        """);

    /// <summary>A Mapping of every host to a local port; fields are further lines under <c>spec</c>.</summary>
    public static string Mapping(string name, string prefix, int port, params string[] fields) =>
        Mapping(name, prefix, string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), fields);

    /// <summary>A Mapping of every host to a service.</summary>
    public static string Mapping(string name, string prefix, string service, params string[] fields) => $"""
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata:
          name: {name}
          namespace: default
        spec:
          hostname: "*"
          prefix: {prefix}
          service: {service}
        {string.Concat(fields.Select(field => $"  {field}\n"))}---

        """;

    /// <summary>A Host with a certificate.</summary>
    public static string TlsHost(string name, string hostname, string secret) => $"""
        apiVersion: getambassador.io/v3alpha1
        kind: Host
        metadata:
          name: {name}
          namespace: default
        spec:
          hostname: "{hostname}"
          tlsSecret:
            name: {secret}
          tls:
            alpn_protocols: h2,http/1.1
        ---

        """;
}
