using System.CommandLine;
using Nuncio.Diagnostics.Explaining;
using Nuncio.Diagnostics.Findings;
using Nuncio.Resources.Findings;

namespace Nuncio.Cli.Commands;

/// <summary><c>nuncio explain</c>: what becomes of a request, and why.</summary>
internal static class ExplainCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var input = new InputOptions();
        var plane = DataPlaneOption.OfRun();
        var url = new Option<string>("--url", "-u") { Description = "The URL of the request, http or https", HelpName = "URL", Required = true };
        var method = new Option<string?>("--request", "-X") { Description = "Its method (default GET)", HelpName = "METHOD" };
        var headers = new Option<string[]>("--header", "-H")
        {
            Description = "A header of it, as 'Name: value'. Repeatable",
            HelpName = "HEADER",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };
        var command = new Command("explain", Examples.With(
            "Says what becomes of a request: the listener, filter chain and virtual host it meets, the Mapping that wins, for each that nearly did the first "
            + "condition "
            + "that failed, the cluster with its endpoints, and what the upstream sees. Nothing is sent.",
            "nuncio explain manifests/ --url https://example.com/quote/",
            "nuncio explain manifests/ --url http://localhost:8080/quote/ -X POST -H 'x-version: 2'"));
        input.AddTo(command);
        plane.AddTo(command);
        command.Options.Add(url);
        command.Options.Add(method);
        command.Options.Add(headers);
        command.SetAction(async (parsed, _) =>
        {
            if (ExplainRequest.Parse(parsed.GetRequiredValue(url), parsed.GetValue(method), parsed.GetValue(headers) ?? [], out var problem) is not { } request)
            {
                await error.WriteLineAsync(problem);
                return ExitCodes.Usage;
            }

            var compilation = Compilation.Of(input, parsed, plane.ServesHttp3(parsed));
            foreach (var finding in compilation.Findings.Where(finding => finding.Level == FindingLevel.Error))
                await error.WriteLineAsync(FindingReport.Line(finding));
            ExplanationText.Write(output, new Explainer(compilation.Resources, compilation.Result).Explain(request));
            return ExitCodes.Success;
        });
        return command;
    }
}
