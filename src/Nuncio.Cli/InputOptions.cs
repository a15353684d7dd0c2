using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using Nuncio.Compiler;
using Nuncio.Compiler.Resolving;
using Nuncio.Sources;

namespace Nuncio.Cli;

/// <summary>
/// What every command that reads manifests has: the paths, <c>--resolve</c>, and the environment variables of Emissary that concern reading and compiling.
/// </summary>
internal sealed class InputOptions
{
    public Argument<string[]> Paths { get; } = new("PATH")
    {
        Description = "Files and folders with manifests (YAML or JSON); folders are read with all their sub-folders",
        Arity = ArgumentArity.OneOrMore,
    };

    public Option<AddressOverride[]> Resolve { get; } = new("--resolve")
    {
        Description = "NAME[:PORT]=ADDRESS:PORT: where a service name really is; NAME may be *. Repeatable; NAME:PORT wins over NAME, NAME over *, and of "
            + "equals the first",
        HelpName = "NAME[:PORT]=ADDRESS:PORT",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        CustomParser = ParseOverrides,
    };

    public Option<string?> AmbassadorId { get; } = new("--ambassador-id")
    {
        Description = "Take only resources of this ambassador_id (AMBASSADOR_ID; default 'default')",
    };

    public Option<string?> Namespace { get; } = new("--namespace", "-n")
    {
        Description = "The gateway's own namespace: where unqualified service names of its Mappings are (AMBASSADOR_NAMESPACE; default 'default')",
    };

    public void AddTo(Command command)
    {
        // The library would take a mistyped option for a path.
        Paths.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (token.Value.StartsWith('-'))
                    result.AddError($"There is no option {token.Value}");
            }
        });
        command.Arguments.Add(Paths);
        command.Options.Add(Resolve);
        command.Options.Add(AmbassadorId);
        command.Options.Add(Namespace);
    }

    /// <summary>For the compiler, from flags, then variables, then defaults.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="environment">The variables.</param>
    /// <param name="servesHttp3">Whether what is to serve the result can serve HTTP/3.</param>
    public CompilerOptions Compiler(ParseResult parsed, GatewayEnvironment environment, bool servesHttp3) => new()
    {
        AmbassadorId = Id(parsed, environment),
        Namespace = OwnNamespace(parsed, environment),
        BindAddress = environment.EnvoyBindAddress,
        StrictLabelSelectors = !environment.DisableStrictLabelSelectors,
        EndpointsEnabled = !environment.DisableEndpoints,
        StatsdEnabled = environment.StatsdEnabled,
        AssumeListeners = true,
        InsecureRejectStatus = environment.InsecureRejectStatus,
        ServesHttp3 = servesHttp3,
        Resolve = parsed.GetValue(Resolve) is { } overrides ? [.. overrides] : [],
    };

    /// <summary>For the snapshot, likewise.</summary>
    public SnapshotOptions Snapshots(ParseResult parsed, GatewayEnvironment environment) => new()
    {
        AmbassadorId = Id(parsed, environment),
        OnlyNamespace = environment.SingleNamespace ? OwnNamespace(parsed, environment) : null,
        OnlySecretNamespace = environment.CertsSingleNamespace ? OwnNamespace(parsed, environment) : null,
        MaximumHoldOff = environment.ReconfigureMaximumDelay ?? SnapshotOptions.Default.MaximumHoldOff,
    };

    private string Id(ParseResult parsed, GatewayEnvironment environment) => parsed.GetValue(AmbassadorId) ?? environment.AmbassadorId;

    private string OwnNamespace(ParseResult parsed, GatewayEnvironment environment) => parsed.GetValue(Namespace) ?? environment.Namespace;

    private static AddressOverride[] ParseOverrides(ArgumentResult result)
    {
        var overrides = ImmutableArray.CreateBuilder<AddressOverride>(result.Tokens.Count);
        foreach (var token in result.Tokens)
        {
            if (AddressOverride.Parse(token.Value, out var error) is { } parsed)
                overrides.Add(parsed);
            else
                result.AddError("--resolve: " + error);
        }

        return [.. overrides];
    }
}
