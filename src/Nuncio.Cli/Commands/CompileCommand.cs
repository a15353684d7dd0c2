using System.CommandLine;
using System.Text;
using Nuncio.Diagnostics.Findings;
using Nuncio.Resources.Findings;
using Nuncio.Xds;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio compile</c>: the Envoy configuration that the manifests mean.</summary>
internal static class CompileCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var input = new InputOptions();
        var format = new Option<string?>("--format") { Description = "json or yaml (default json; yaml when --out ends in .yaml or .yml)" };
        format.AcceptOnlyFromAmong("json", "yaml");
        var file = new Option<string?>("--out", "-o")
        {
            Description = "Write to this file, readable by its owner only: the configuration holds private keys",
            HelpName = "FILE",
        };
        var command = new Command("compile", Examples.With(
            "Prints the Envoy configuration of the manifests: a bootstrap with static resources, private keys included, that 'envoy -c' runs as it is. "
            + "Findings go "
            + "to standard error.",
            "nuncio compile manifests/ --out envoy.json && envoy -c envoy.json",
            "nuncio compile manifests/ --format yaml"));
        input.AddTo(command);
        command.Options.Add(format);
        command.Options.Add(file);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var compilation = Compilation.Of(input, parsed, servesHttp3: true);
            foreach (var finding in compilation.Findings.Where(finding => finding.Level != FindingLevel.Notice))
                await error.WriteLineAsync(FindingReport.Line(finding));
            var bootstrap = BootstrapEmitter.Emit(compilation.Result.Snapshot);
            var target = parsed.GetValue(file);
            var text = (parsed.GetValue(format) ?? FormatOf(target)) == "yaml" ? XdsYaml.Format(bootstrap) : XdsJson.Format(bootstrap, indented: true) + "\n";
            if (target is null)
            {
                await output.WriteAsync(text);
                return ExitCodes.Success;
            }

            return await WriteAsync(target, text, error, cancellationToken);
        });
        return command;
    }

    private static string FormatOf(string? file) => Path.GetExtension(file) is ".yaml" or ".yml" ? "yaml" : "json";

    private static async Task<int> WriteAsync(string file, string text, TextWriter error, CancellationToken cancellationToken)
    {
        try
        {
            // Created anew and moved into place: an older file of that name may be open to others, and a reader must never see half of it.
            var temporary = $"{file}.{Environment.ProcessId}.tmp";
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            await using (var stream = new FileStream(temporary, options))
                await stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
            File.Move(temporary, file, overwrite: true);
            return ExitCodes.Success;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"{file} cannot be written: {e.Message}");
            return ExitCodes.Findings;
        }
    }
}
