using System.CommandLine;
using Nuncio.Cli.Commands;

namespace Nuncio.Cli;

/// <summary>The commands, and what becomes of a command line that is none.</summary>
internal static class CommandLineRunner
{
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var root = new RootCommand("Nuncio: an API gateway for getambassador.io manifests, with a proxy of its own or with Envoy.")
        {
            RunCommand.Create(),
            CheckCommand.Create(output),
            CompileCommand.Create(output, error),
            ExplainCommand.Create(output, error),
            BootstrapCommand.Create(output),
            ProxyCommand.Create(),
            VersionCommand.Create(output),
        };
        var parsed = root.Parse(Normalise(args));
        if (parsed.Errors.Count > 0)
        {
            foreach (var problem in parsed.Errors)
                await error.WriteLineAsync(problem.Message);
            await error.WriteLineAsync("'nuncio help' and 'nuncio help COMMAND' say more.");
            return ExitCodes.Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = null });
    }

    // "nuncio help run" is what people type; the library knows only "nuncio run --help".
    private static string[] Normalise(string[] args) => args switch
    {
        [] => ["--help"],
        ["help"] => ["--help"],
        ["help", .. var command] => [.. command, "--help"],
        _ => args,
    };
}
