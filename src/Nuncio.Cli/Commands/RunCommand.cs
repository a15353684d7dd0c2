using System.CommandLine;
using Nuncio.Host;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio run</c>: the gateway.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var input = new InputOptions();
        var serving = new ServingOptions();
        var planes = new DataPlaneOptions();
        var command = new Command("run", Examples.With(
            "Serves the manifests: reads them, watches them, and takes every change without disturbing what it does not concern. Access logs go to standard "
            + "output, "
            + "the log of nuncio itself to standard error. It starts whatever is wrong with the manifests, and says so.",
            "nuncio run examples/quickstart",
            "nuncio run manifests/ extra.yaml --resolve quote=127.0.0.1:9000",
            "nuncio run manifests/ --resolve '*=127.0.0.1:9000' --log-format json",
            "nuncio run manifests/ --data-plane envoy --envoy /usr/local/bin/envoy",
            "nuncio run manifests/ --data-plane none --xds-address 127.0.0.1:18000"));
        input.AddTo(command);
        serving.AddTo(command);
        planes.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var environment = new GatewayEnvironment(Environment.GetEnvironmentVariable);
            var adminEndPoint = serving.AdminEndPoint(parsed, environment);
            var options = new GatewayOptions
            {
                Paths = parsed.GetRequiredValue(input.Paths),
                IstioSecretFolder = environment.IstioSecretFolder,
                Compiler = input.Compiler(parsed, environment, planes.ServesHttp3(parsed)),
                Snapshots = input.Snapshots(parsed, environment),
                DrainTime = serving.DrainTime(parsed, environment),
                AdminEndPoint = adminEndPoint,
                Overload = serving.Overload(parsed, environment),
                Envoy = planes.Envoy(parsed, environment, adminEndPoint),
                Fleet = planes.Fleet(parsed),
                LastGood = planes.LastGood(parsed),
            };
            return serving.RunAsync(
                parsed,
                environment,
                async (loggers, stopping) => await new Gateway(options, loggers, TimeProvider.System).RunAsync(stopping) ? ExitCodes.Success : ExitCodes.Usage,
                cancellationToken,
                [
                    .. planes.WithoutEffect(parsed),
                    .. options is { Fleet: null, Envoy: null or { Standby: true } } ? [] : serving.WithoutEffectOnOthers(parsed),
                ]);
        });
        return command;
    }
}
