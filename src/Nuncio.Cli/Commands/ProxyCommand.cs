using System.CommandLine;
using Nuncio.DataPlane.Discovery;
using Nuncio.Host;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio proxy</c>: the embedded proxy on an Envoy configuration, from a file or a control plane.</summary>
internal static class ProxyCommand
{
    public static Command Create()
    {
        var file = new Option<string?>("--config") { Description = "A bootstrap in Envoy's JSON form; its static resources are served", HelpName = "FILE" };
        var xds = new Option<string?>("--xds") { Description = "A control plane (ADS), for instance 'nuncio run --data-plane none'", HelpName = "HOST:PORT" };
        var node = new Option<string>("--node-id")
        {
            Description = "With --xds: tells this proxy from others (default the host's name)",
            DefaultValueFactory = _ => Environment.MachineName,
        };
        var tls = new ControlPlaneTlsOptions();
        xds.Validators.Add(result =>
        {
            if (HostAndPort.Parse(result.GetValueOrDefault<string?>()) is null) result.AddError("--xds: HOST:PORT");
        });
        var serving = new ServingOptions();
        var command = new Command("proxy", Examples.With(
            "Serves an Envoy configuration with the embedded proxy: the static listeners, clusters and secrets of a bootstrap, as 'envoy -c' would, or what a "
            + "control "
            + "plane serves over ADS. What lies outside the supported part of Envoy's API is left out, resource by resource, and said on standard error.",
            "nuncio compile manifests/ --out envoy.json && nuncio proxy --config envoy.json",
            "nuncio proxy --xds 127.0.0.1:18000 --admin 127.0.0.1:9901"));
        command.Options.Add(file);
        command.Options.Add(xds);
        command.Options.Add(node);
        tls.AddTo(command);
        serving.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValueIfAny(file) is null == result.GetValueIfAny(xds) is null) result.AddError("Either --config or --xds must be given");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            var environment = new GatewayEnvironment(Environment.GetEnvironmentVariable);
            return HostAndPort.Parse(parsed.GetValue(xds)) is var (host, port)
                ? FollowAsync(parsed, environment, serving, host, port, tls.Read(parsed, host), parsed.GetRequiredValue(node), cancellationToken)
                : ServeFileAsync(parsed, environment, serving, parsed.GetRequiredValue(file)!, cancellationToken);
        });
        return command;
    }

    private static Task<int> ServeFileAsync(
        ParseResult parsed, GatewayEnvironment environment, ServingOptions serving, string file, CancellationToken cancellationToken)
    {
        var options = new StaticProxyOptions
        {
            ConfigurationFile = file,
            DrainTime = serving.DrainTime(parsed, environment),
            AdminEndPoint = serving.AdminEndPoint(parsed, environment),
            Overload = serving.Overload(parsed, environment),
        };
        return serving.RunAsync(
            parsed,
            environment,
            async (loggers, stopping) =>
                await new StaticProxy(options, loggers, TimeProvider.System).RunAsync(stopping) ? ExitCodes.Success : ExitCodes.Findings,
            cancellationToken);
    }

    private static Task<int> FollowAsync(
        ParseResult parsed, GatewayEnvironment environment, ServingOptions serving, string host, uint port, AdsTlsOptions? tls, string node,
        CancellationToken cancellationToken)
    {
        var options = new RemoteProxyOptions
        {
            Host = host,
            Port = port,
            Tls = tls,
            Client = new AdsClientOptions { NodeId = node, Version = ProductVersion.Text },
            DrainTime = serving.DrainTime(parsed, environment),
            AdminEndPoint = serving.AdminEndPoint(parsed, environment),
            Overload = serving.Overload(parsed, environment),
        };
        return serving.RunAsync(
            parsed,
            environment,
            async (loggers, stopping) => await new RemoteProxy(options, loggers, TimeProvider.System).RunAsync(stopping) ? ExitCodes.Success : ExitCodes.Usage,
            cancellationToken);
    }
}
