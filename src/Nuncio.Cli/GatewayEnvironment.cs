using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;

namespace Nuncio.Cli;

/// <summary>
/// Emissary's environment variables that concern us (spec 13.1), with Emissary's meanings: some switches are on when the variable is not empty, whatever
/// it says; others only when it says <c>true</c>. A value that cannot be understood is as good as none, and is said in <see cref="Problems"/>.
/// </summary>
internal sealed class GatewayEnvironment
{
    private static readonly (string Name, string Reason)[] WithoutEffect =
    [
        ("AMBASSADOR_READY_PORT", "readiness is a page of the health address (--admin), there is no listener of its own for it"),
        ("AMBASSADOR_LABEL_SELECTOR", "every object in the given files is read"),
        ("AMBASSADOR_FIELD_SELECTOR", "every object in the given files is read"),
        ("AMBASSADOR_CONFIG_DIR", "manifests are read from the paths on the command line"),
        ("AMBASSADOR_CONFIG_BASE_DIR", "manifests are read from the paths on the command line"),
        ("AMBASSADOR_DEBUG", "--log-level or AES_LOG_LEVEL says how much is logged"),
        ("AMBASSADOR_EDS_BYPASS", "endpoints are always part of the configuration that they belong to"),
        ("AMBASSADOR_FORCE_SECRET_VALIDATION", "certificates and keys are always checked"),
    ];

    private readonly Func<string, string?> _get;
    private readonly List<string> _problems = [];

    public GatewayEnvironment(Func<string, string?> get)
    {
        _get = get;
        DrainTime = Seconds("AMBASSADOR_DRAIN_TIME");
        ReconfigureMaximumDelay = Seconds("AMBASSADOR_RECONFIG_MAX_DELAY");
        AdminAddress = Address("AMBASSADOR_HEALTHCHECK_BIND_ADDRESS") ?? LoopbackOf("AMBASSADOR_HEALTHCHECK_IP_FAMILY");
        AdminPort = Port("AMBASSADOR_HEALTHCHECK_BIND_PORT");
        LogLevel = Level("AES_LOG_LEVEL");
        MemoryLimit = Bytes("NUNCIO_MEMORY_LIMIT");
        MaxConnections = Count("NUNCIO_MAX_CONNECTIONS");
        foreach (var (name, reason) in WithoutEffect)
        {
            if (Text(name) is not null)
                _problems.Add($"{name} has no effect: {reason}");
        }

        EnvoyConcurrency = Count("ENVOY_CONCURRENCY") ?? Count("AMBASSADOR_ENVOY_CONCURRENCY");
    }

    /// <summary>What is wrong with the variables.</summary>
    public IReadOnlyList<string> Problems => _problems;

    public string AmbassadorId => Text("AMBASSADOR_ID") ?? "default";

    public string Namespace => Text("AMBASSADOR_NAMESPACE") ?? "default";

    public string EnvoyBindAddress => Text("AMBASSADOR_ENVOY_BIND_ADDRESS") ?? "0.0.0.0";

    /// <summary>Where an Istio sidecar writes <c>key.pem</c> and <c>cert-chain.pem</c>; null when nothing is to be read there.</summary>
    public string? IstioSecretFolder => Text("AMBASSADOR_ISTIO_SECRET_DIR");

    public bool SingleNamespace => Text("AMBASSADOR_SINGLE_NAMESPACE") is not null;

    public bool CertsSingleNamespace => SingleNamespace || Text("AMBASSADOR_CERTS_SINGLE_NAMESPACE") is not null;

    public bool DisableEndpoints => Text("AMBASSADOR_DISABLE_ENDPOINTS") is not null;

    public bool DisableStrictLabelSelectors => IsTrue("DISABLE_STRICT_LABEL_SELECTORS");

    public bool StatsdEnabled => IsTrue("STATSD_ENABLED");

    /// <summary>What a client gets where a Host rejects insecure requests: 400 as documented, or 404 as Emissary's compiler has it.</summary>
    public int InsecureRejectStatus => Text("NUNCIO_INSECURE_REJECT_STATUS") == "404" ? 404 : 400;

    public bool JsonLogging => IsTrue("AMBASSADOR_JSON_LOGGING");

    /// <summary>In bytes.</summary>
    public long? MemoryLimit { get; }

    public int? MaxConnections { get; }

    /// <summary>A file with a pressure from 0 to 1, to try what overload does.</summary>
    public string? InjectedPressureFile => Text("NUNCIO_OVERLOAD_PRESSURE_FILE");

    public TimeSpan? DrainTime { get; }

    public TimeSpan? ReconfigureMaximumDelay { get; }

    public IPAddress? AdminAddress { get; }

    public int? AdminPort { get; }

    public LogLevel? LogLevel { get; }

    /// <summary>Worker threads of an Envoy that is started.</summary>
    public int? EnvoyConcurrency { get; }

    private string? Text(string name) => _get(name) is { Length: > 0 } value ? value : null;

    private bool IsTrue(string name) => string.Equals(Text(name), "true", StringComparison.OrdinalIgnoreCase);

    private TimeSpan? Seconds(string name) => Value<TimeSpan>(name, "a number of seconds from 0 to 86400", static text =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= 86400
            ? TimeSpan.FromSeconds(seconds) : null);

    private int? Port(string name) => Value<int>(name, "a port", static text => Number(text) is var port and > 0 and <= 65535 ? port : null);

    private long? Bytes(string name) => Value<long>(name, "a number of bytes", ByteCount.Parse);

    private int? Count(string name) => Value<int>(name, "a number above 0", static text => Number(text) is var count and > 0 ? count : null);

    private IPAddress? Address(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (IPAddress.TryParse(text, out var address))
            return address;
        _problems.Add($"{name}={text} is not an IP address; it is not used");
        return null;
    }

    private IPAddress? LoopbackOf(string name)
    {
        switch (Text(name)?.ToUpperInvariant())
        {
            case null or "ANY" or "IPV4_ONLY":
                return null;
            case "IPV6_ONLY":
                return IPAddress.IPv6Loopback;
            case var text:
                _problems.Add($"{name}={text} is none of ANY, IPV4_ONLY, IPV6_ONLY; it is not used");
                return null;
        }
    }

    private LogLevel? Level(string name) => Value<LogLevel>(name, $"a log level ({LogLevels.Names})", LogLevels.Parse);

    private T? Value<T>(string name, string what, Func<string, T?> parse)
        where T : struct
    {
        if (Text(name) is not { } text)
            return null;
        if (parse(text) is { } value)
            return value;
        _problems.Add($"{name}={text} is not {what}; it is not used");
        return null;
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
