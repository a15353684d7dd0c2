using System.CommandLine;
using System.Net;
using Nuncio.Host;
using Nuncio.Host.Planes;
using Nuncio.Host.Planes.LocalEnvoy;

namespace Nuncio.Cli;

/// <summary>The options of <c>nuncio run</c> that say what takes traffic.</summary>
internal sealed class DataPlaneOptions
{
    private readonly DataPlaneOption _plane = new(
        "What takes traffic: embedded (the proxy in this process), envoy (an Envoy that is started and watched), or none (Envoys elsewhere get ADS)");

    private readonly Option<string> _envoy = new("--envoy")
    {
        Description = "With --data-plane envoy: the program (default envoy, from PATH); 1.36 and later", HelpName = "PATH", DefaultValueFactory = _ => "envoy",
    };

    private readonly Option<IPEndPoint> _envoyAdmin = AddressOption.Create(
        "--envoy-admin", "With --data-plane envoy: where Envoy's own administration pages are", new(IPAddress.Loopback, 8001));

    private readonly Option<string?> _envoyFolder = new("--envoy-folder")
    {
        Description = "With --data-plane envoy: a folder for bootstrap and socket; the same one after a restart takes over the Envoy that still runs",
        HelpName = "FOLDER",
    };

    private readonly Option<bool> _noStandby = new("--no-envoy-standby")
    {
        Description = "With --data-plane envoy: do not take connections in this process while an Envoy that has ended is started again",
    };

    private readonly Option<IPEndPoint> _xdsAddress = AddressOption.Create(
        "--xds-address", "With --data-plane none: where ADS is served", new(IPAddress.Loopback, 18000));

    private readonly Option<string?> _xdsCertificate = new("--xds-certificate")
    {
        Description = "Mutual TLS of ADS: the certificate chain, PEM",
        HelpName = "FILE",
    };

    private readonly Option<string?> _xdsKey = new("--xds-key") { Description = "Mutual TLS of ADS: its private key, PEM", HelpName = "FILE" };

    private readonly Option<string?> _xdsClientAuthorities = new("--xds-client-ca")
    {
        Description = "Mutual TLS of ADS: who signs clients' certificates, PEM",
        HelpName = "FILE",
    };

    private readonly Option<string?> _lastGood = new("--last-good")
    {
        Description = "Keep the last good configuration in this folder, and serve it after a restart until the manifests can be read", HelpName = "FOLDER",
    };

    private readonly Option<bool> _lastGoodSecrets = new("--last-good-secrets") { Description = "Keep private keys there too" };

    public void AddTo(Command command)
    {
        _plane.AddTo(command);
        Option[] all =
        [
            _envoy, _envoyAdmin, _envoyFolder, _noStandby, _xdsAddress, _xdsCertificate, _xdsKey, _xdsClientAuthorities, _lastGood, _lastGoodSecrets,
        ];
        foreach (var option in all) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            var given = new[] { _xdsCertificate, _xdsKey, _xdsClientAuthorities }.Count(option => result.GetValueIfAny(option) is not null);
            if (given is 1 or 2) result.AddError("--xds-certificate, --xds-key and --xds-client-ca belong together");
            if (given == 0 && _plane.ReadIfAny(result) == DataPlaneOption.None && result.GetValueIfAny(_xdsAddress) is { } address
                && !IPAddress.IsLoopback(address.Address))
                result.AddError(
                    "--xds-address: anything but loopback needs --xds-certificate, --xds-key and --xds-client-ca, because private keys travel on it");
            if (result.GetValueIfAny(_lastGoodSecrets) && result.GetValueIfAny(_lastGood) is null) result.AddError("--last-good-secrets needs --last-good");
        });
    }

    /// <summary>The options that were given although the data plane that was chosen has no use for them.</summary>
    public IEnumerable<string> WithoutEffect(ParseResult parsed)
    {
        var plane = _plane.Read(parsed);
        return new (string Plane, Option[] Options)[]
            {
                (DataPlaneOption.Envoy, [_envoy, _envoyAdmin, _envoyFolder, _noStandby]),
                (DataPlaneOption.None, [_xdsAddress, _xdsCertificate, _xdsKey, _xdsClientAuthorities]),
            }
            .Where(group => group.Plane != plane)
            .SelectMany(group => group.Options)
            .Where(option => parsed.GetResult(option) is { Implicit: false })
            .Select(option => $"{option.Name} has no effect with --data-plane {plane}");
    }

    /// <summary>Whether what takes traffic can serve HTTP/3.</summary>
    public bool ServesHttp3(ParseResult parsed) => _plane.ServesHttp3(parsed);

    /// <summary>The Envoy to run; null when another data plane was chosen.</summary>
    public EnvoyOptions? Envoy(ParseResult parsed, GatewayEnvironment environment, IPEndPoint admin) =>
        _plane.Read(parsed) != DataPlaneOption.Envoy ? null : new EnvoyOptions
        {
            Program = parsed.GetRequiredValue(_envoy),
            Admin = parsed.GetRequiredValue(_envoyAdmin),
            Folder = parsed.GetValue(_envoyFolder),
            Identity = $"{admin} {parsed.GetRequiredValue(_envoyAdmin)}",
            Concurrency = environment.EnvoyConcurrency,
            Standby = !parsed.GetValue(_noStandby),
        };

    /// <summary>Where ADS is served for others; null when another data plane was chosen.</summary>
    public AdsOptions? Fleet(ParseResult parsed) => _plane.Read(parsed) != DataPlaneOption.None ? null : new AdsOptions
    {
        Address = parsed.GetRequiredValue(_xdsAddress),
        Tls = parsed.GetValue(_xdsCertificate) is { } certificate
            ? new AdsServerTlsOptions(certificate, parsed.GetRequiredValue(_xdsKey)!, parsed.GetRequiredValue(_xdsClientAuthorities)!) : null,
    };

    /// <summary>Where the last good configuration is kept; null for nowhere.</summary>
    public LastGoodOptions? LastGood(ParseResult parsed) =>
        parsed.GetValue(_lastGood) is { } folder ? new LastGoodOptions(folder, parsed.GetValue(_lastGoodSecrets)) : null;
}
