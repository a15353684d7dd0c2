using System.CommandLine;
using Nuncio.Host;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio version</c>.</summary>
internal static class VersionCommand
{
    public static Command Create(TextWriter output)
    {
        var command = new Command("version", Examples.With("Prints the version.", "nuncio version"));
        command.SetAction(async (_, _) =>
        {
            await output.WriteLineAsync("nuncio " + ProductVersion.Text);
            return ExitCodes.Success;
        });
        return command;
    }
}
