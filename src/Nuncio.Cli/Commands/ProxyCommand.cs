using System.CommandLine;
using Nuncio.Host;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio proxy</c>: the embedded proxy on an Envoy configuration.</summary>
internal static class ProxyCommand
{
    public static Command Create()
    {
        var file = new Option<string>("--config") { Description = "A bootstrap in Envoy's JSON form; its static resources are served", HelpName = "FILE", Required = true };
        var serving = new ServingOptions();
        var command = new Command("proxy", Examples.With(
            "Serves an Envoy configuration with the embedded proxy: the static listeners, clusters and secrets of a bootstrap, as 'envoy -c' would. What lies outside "
            + "the supported part of Envoy's API is left out, resource by resource, and said on standard error.",
            "nuncio compile manifests/ --out envoy.json && nuncio proxy --config envoy.json",
            "nuncio proxy --config envoy.json --admin 127.0.0.1:9901"));
        command.Options.Add(file);
        serving.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var environment = new GatewayEnvironment(Environment.GetEnvironmentVariable);
            var options = new StaticProxyOptions
            {
                ConfigurationFile = parsed.GetRequiredValue(file),
                DrainTime = serving.DrainTime(parsed, environment),
                AdminEndPoint = serving.AdminEndPoint(parsed, environment),
            };
            return serving.RunAsync(
                parsed,
                environment,
                async (loggers, stopping) => await new StaticProxy(options, loggers, TimeProvider.System).RunAsync(stopping) ? ExitCodes.Success : ExitCodes.Findings,
                cancellationToken);
        });
        return command;
    }
}
