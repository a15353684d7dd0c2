using System.CommandLine;
using Nuncio.Xds;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio bootstrap</c>: what an Envoy needs to find its control plane.</summary>
internal static class BootstrapCommand
{
    public static Command Create(TextWriter output)
    {
        var xds = new Option<string>("--xds") { Description = "The control plane: HOST:PORT (default 127.0.0.1:18000)", HelpName = "HOST:PORT", DefaultValueFactory = _ => "127.0.0.1:18000" };
        var node = new Option<string>("--node-id") { Description = "Tells this Envoy from others in the control plane's log (default envoy)", DefaultValueFactory = _ => "envoy" };
        var cluster = new Option<string>("--node-cluster") { Description = "The group that it belongs to (default nuncio)", DefaultValueFactory = _ => "nuncio" };
        var admin = AddressOption.Create("--envoy-admin", "Where Envoy's own administration pages are", new(System.Net.IPAddress.Loopback, 8001));
        var certificate = new Option<string?>("--certificate") { Description = "TLS with the control plane: Envoy's certificate chain, PEM, a path on Envoy's machine", HelpName = "FILE" };
        var key = new Option<string?>("--key") { Description = "TLS with the control plane: its private key, PEM", HelpName = "FILE" };
        var authorities = new Option<string?>("--ca") { Description = "TLS with the control plane: who signs its certificate, PEM", HelpName = "FILE" };
        var serverName = new Option<string?>("--server-name") { Description = "The name in the control plane's certificate (default HOST)", HelpName = "NAME" };
        var format = new Option<string>("--format") { Description = "json or yaml (default yaml)", DefaultValueFactory = _ => "yaml" };
        format.AcceptOnlyFromAmong("json", "yaml");
        xds.Validators.Add(result =>
        {
            if (HostAndPort.Parse(result.GetValueOrDefault<string>()) is null) result.AddError("--xds: HOST:PORT");
        });
        var command = new Command("bootstrap", Examples.With(
            "Prints the bootstrap of an Envoy that gets its configuration from 'nuncio run --data-plane none'.",
            "nuncio bootstrap --xds 127.0.0.1:18000 > envoy.yaml && envoy -c envoy.yaml",
            "nuncio bootstrap --xds nuncio.example.com:18000 --certificate envoy.crt --key envoy.key --ca nuncio-ca.crt"));
        foreach (var option in (Option[])[xds, node, cluster, admin, certificate, key, authorities, serverName, format]) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (new[] { certificate, key, authorities }.Count(option => result.GetValue(option) is not null) is 1 or 2)
                result.AddError("--certificate, --key and --ca belong together");
        });
        command.SetAction(async (parsed, _) =>
        {
            var (host, port) = HostAndPort.Parse(parsed.GetRequiredValue(xds))!.Value;
            var adminEndPoint = parsed.GetRequiredValue(admin);
            var bootstrap = AdsBootstrapEmitter.Emit(new AdsBootstrapOptions
            {
                Host = host,
                Port = port,
                NodeId = parsed.GetRequiredValue(node),
                NodeCluster = parsed.GetRequiredValue(cluster),
                AdminAddress = adminEndPoint.Address.ToString(),
                AdminPort = (uint)adminEndPoint.Port,
                Tls = parsed.GetValue(certificate) is { } chain
                    ? new AdsTlsOptions(chain, parsed.GetRequiredValue(key)!, parsed.GetRequiredValue(authorities)!, parsed.GetValue(serverName) ?? host) : null,
            });
            await output.WriteAsync(parsed.GetRequiredValue(format) == "yaml" ? XdsYaml.Format(bootstrap) : XdsJson.Format(bootstrap, indented: true) + "\n");
            return ExitCodes.Success;
        });
        return command;
    }
}
