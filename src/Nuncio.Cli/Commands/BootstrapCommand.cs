using System.CommandLine;
using Nuncio.Xds;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio bootstrap</c>: what an Envoy needs to find its control plane.</summary>
internal static class BootstrapCommand
{
    public static Command Create(TextWriter output)
    {
        var xds = new Option<string>("--xds")
        {
            Description = "The control plane: HOST:PORT (default 127.0.0.1:18000)",
            HelpName = "HOST:PORT",
            DefaultValueFactory = _ => "127.0.0.1:18000",
        };
        var node = new Option<string>("--node-id")
        {
            Description = "Tells this Envoy from others in the control plane's log (default envoy)",
            DefaultValueFactory = _ => "envoy",
        };
        var cluster = new Option<string>("--node-cluster")
        {
            Description = "The group that it belongs to, which rate limit and tracing services are told (default ambassador-default)",
            DefaultValueFactory = _ => "ambassador-default",
        };
        var admin = AddressOption.Create("--envoy-admin", "Where Envoy's own administration pages are", new(System.Net.IPAddress.Loopback, 8001));
        var tls = new ControlPlaneTlsOptions();
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
        foreach (var option in (Option[])[xds, node, cluster, admin, format]) command.Options.Add(option);
        tls.AddTo(command);
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
                Tls = tls.Read(parsed, host),
            });
            await output.WriteAsync(parsed.GetRequiredValue(format) == "yaml" ? XdsYaml.Format(bootstrap) : XdsJson.Format(bootstrap, indented: true) + "\n");
            return ExitCodes.Success;
        });
        return command;
    }
}
