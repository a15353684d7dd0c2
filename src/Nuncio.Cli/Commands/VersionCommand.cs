using System.CommandLine;
using System.Reflection;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio version</c>.</summary>
internal static class VersionCommand
{
    public static Command Create(TextWriter output)
    {
        var command = new Command("version", Examples.With("Prints the version.", "nuncio version"));
        command.SetAction(async (_, _) =>
        {
            await output.WriteLineAsync("nuncio " + Version);
            return ExitCodes.Success;
        });
        return command;
    }

    /// <summary>The program's version.</summary>
    public static string Version =>
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
