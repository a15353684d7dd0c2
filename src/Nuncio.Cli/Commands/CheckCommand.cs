using System.CommandLine;
using Nuncio.DataPlane;
using Nuncio.Diagnostics.Findings;
using Nuncio.Host;
using Nuncio.Resources.Findings;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio check</c>: what is wrong with the manifests.</summary>
internal static class CheckCommand
{
    public static Command Create(TextWriter output)
    {
        var input = new InputOptions();
        var plane = DataPlaneOption.OfRun();
        var format = new Option<string>("--format") { Description = "text, json or sarif", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json", "sarif");
        var command = new Command("check", Examples.With(
            "Says what is wrong with the manifests, with file, line, column and field. Ends with 0 when there is no error, 1 when there is, 2 when the command "
            + "line is wrong.",
            "nuncio check manifests/",
            "nuncio check manifests/ --data-plane envoy",
            "nuncio check manifests/ --format sarif > nuncio.sarif"));
        input.AddTo(command);
        plane.AddTo(command);
        command.Options.Add(format);
        command.SetAction(async (parsed, _) =>
        {
            var compilation = Compilation.Of(input, parsed, plane.ServesHttp3(parsed));
            var findings = compilation.Findings;
            if (plane.Read(parsed) == DataPlaneOption.Embedded)
            {
                var refused = await EmbeddedProxy.TryAsync(compilation.Result.Snapshot);
                findings = [.. findings, .. RejectionFindings.Of(refused, compilation.Result, compilation.Resources)];
            }

            var how = parsed.GetRequiredValue(format) switch
            {
                "json" => FindingFormat.Json,
                "sarif" => FindingFormat.Sarif,
                _ => FindingFormat.Text,
            };
            FindingReport.Write(output, findings, how, colour: !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "");
            return findings.Any(finding => finding.Level == FindingLevel.Error) ? ExitCodes.Findings : ExitCodes.Success;
        });
        return command;
    }
}
