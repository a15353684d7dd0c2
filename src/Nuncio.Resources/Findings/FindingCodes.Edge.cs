namespace Nuncio.Resources.Findings;

/// <summary>What is found about Listeners, Hosts, TLS, TCPMappings, Ingresses and the services beside the request path.</summary>
public static partial class FindingCodes
{
    /// <summary>An access log format that Envoy would refuse; the default is used.</summary>
    public const string AccessLogFormatInvalid = "access-log-format-invalid";

    /// <summary>An entry of <c>ip_allow</c> or <c>ip_deny</c> that is no address.</summary>
    public const string AddressRuleInvalid = "address-rule-invalid";

    /// <summary><c>ip_allow</c> and <c>ip_deny</c> together.</summary>
    public const string AddressRulesConflict = "address-rules-conflict";

    /// <summary>An AuthService that cannot be asked; until it is corrected every request is answered 500.</summary>
    public const string AuthServiceInvalid = "auth-service-invalid";

    /// <summary>There is no Host at all, so one for every name stands in.</summary>
    public const string DefaultHostAssumed = "default-host-assumed";

    /// <summary>There is no Listener at all, so two stand in.</summary>
    public const string DefaultListenersAssumed = "default-listeners-assumed";

    /// <summary><c>proper_case</c> and <c>header_case_overrides</c> together.</summary>
    public const string HeaderCaseConflict = "header-case-conflict";

    /// <summary>Another Host already serves this hostname.</summary>
    public const string HostDuplicate = "host-duplicate";

    /// <summary>A Host that rejects insecure requests is not served by a Listener that takes every request for insecure.</summary>
    public const string HostLeftOut = "host-left-out";

    /// <summary>A hostname that no request can have, or not as meant.</summary>
    public const string HostnameInvalid = "hostname-invalid";

    /// <summary>A glob by which TLS connections cannot be told apart.</summary>
    public const string HostnameNotForTls = "hostname-not-for-tls";

    /// <summary>A Listener for HTTP/3, or a Host that has no other, where what takes traffic has no QUIC.</summary>
    public const string Http3Unavailable = "http3-unavailable";

    /// <summary>A path of an Ingress without a Service and port.</summary>
    public const string IngressBackendMissing = "ingress-backend-missing";

    /// <summary>An empty path of an Ingress.</summary>
    public const string IngressPathEmpty = "ingress-path-empty";

    /// <summary>A named port that the Service does not have.</summary>
    public const string IngressPortUnknown = "ingress-port-unknown";

    /// <summary>A legacy form that still works.</summary>
    public const string LegacyForm = "legacy-form";

    /// <summary>An address that is no IP address.</summary>
    public const string ListenerAddressInvalid = "listener-address-invalid";

    /// <summary>Another Listener already has the address and port.</summary>
    public const string ListenerBindingConflict = "listener-binding-conflict";

    /// <summary>A Listener that does not say which Hosts it is for.</summary>
    public const string ListenerBindingMissing = "listener-binding-missing";

    /// <summary>A TCPMapping takes what Hosts would be served from.</summary>
    public const string ListenerChainConflict = "listener-chain-conflict";

    /// <summary>A Listener that selects namespaces by label.</summary>
    public const string ListenerNamespaceSelector = "listener-namespace-selector";

    /// <summary><c>protocol</c> beside <c>protocolStack</c>.</summary>
    public const string ListenerProtocolConflict = "listener-protocol-conflict";

    /// <summary>A protocol or stack that cannot be opened.</summary>
    public const string ListenerProtocolInvalid = "listener-protocol-invalid";

    /// <summary>A Listener to which nothing belongs; it is not opened.</summary>
    public const string ListenerUnused = "listener-unused";

    /// <summary>A LogService whose service is spoken to in HTTP/2 although <c>grpc</c> is not set.</summary>
    public const string LogServiceGrpc = "log-service-grpc";

    /// <summary>A LogService that gets nothing.</summary>
    public const string LogServiceInvalid = "log-service-invalid";

    /// <summary>A RateLimitService that cannot be asked.</summary>
    public const string RateLimitServiceInvalid = "rate-limit-service-invalid";

    /// <summary>A runtime flag that is not known or not of its type.</summary>
    public const string RuntimeFlagInvalid = "runtime-flag-invalid";

    /// <summary>A Secret whose content cannot be used.</summary>
    public const string SecretInvalid = "secret-invalid";

    /// <summary>A Secret that is missing, of another type, or without any recognised key.</summary>
    public const string SecretNotFound = "secret-not-found";

    /// <summary>A selector with <c>matchExpressions</c>, of which only <c>matchLabels</c> counts.</summary>
    public const string SelectorExpressionsIgnored = "selector-expressions-ignored";

    /// <summary>A second AuthService, RateLimitService, LogService or TracingService.</summary>
    public const string ServiceNotUnique = "service-not-unique";

    /// <summary>All TCPMappings of a port and host have weight 0.</summary>
    public const string TcpWeightsZero = "tcp-weights-zero";

    /// <summary>An ALPN protocol name that is too long.</summary>
    public const string TlsAlpnInvalid = "tls-alpn-invalid";

    /// <summary>A cipher suite that Envoy's TLS library does not know.</summary>
    public const string TlsCipherSuiteUnknown = "tls-cipher-suite-unknown";

    /// <summary>A TLSContext is for other hosts than the Host that names it.</summary>
    public const string TlsContextHostMismatch = "tls-context-host-mismatch";

    /// <summary>A TLSContext with a mistake of its own is named.</summary>
    public const string TlsContextNotUsable = "tls-context-not-usable";

    /// <summary>TLSContexts with hosts, but no Host.</summary>
    public const string TlsContextWithoutHost = "tls-context-without-host";

    /// <summary>A curve that Envoy's TLS library does not know.</summary>
    public const string TlsCurveUnknown = "tls-curve-unknown";

    /// <summary>Certificates or keys in files.</summary>
    public const string TlsFileNotSupported = "tls-file-not-supported";

    /// <summary>TLS settings that contradict each other.</summary>
    public const string TlsSettingsConflict = "tls-settings-conflict";

    /// <summary>Client certificates are asked for, or revoked, but nothing says who may issue them.</summary>
    public const string TlsValidationWithoutCa = "tls-validation-without-ca";

    /// <summary>A TLS version that does not exist, or a minimum above the maximum.</summary>
    public const string TlsVersionInvalid = "tls-version-invalid";

    /// <summary>TLS settings of a Host without <c>tlsSecret</c>.</summary>
    public const string TlsWithoutSecret = "tls-without-secret";

    /// <summary>A TracingService, or a part of one, that cannot be used.</summary>
    public const string TracingServiceInvalid = "tracing-service-invalid";
}
