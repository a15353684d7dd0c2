using System.CommandLine;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Cli;

/// <summary>The options that say how a data plane and its control plane know each other.</summary>
internal sealed class ControlPlaneTlsOptions
{
    private readonly Option<string?> _certificate = new("--certificate")
    {
        Description = "TLS with the control plane: the data plane's certificate chain, PEM",
        HelpName = "FILE",
    };

    private readonly Option<string?> _key = new("--key") { Description = "TLS with the control plane: its private key, PEM", HelpName = "FILE" };

    private readonly Option<string?> _authorities = new("--ca")
    {
        Description = "TLS with the control plane: who signs the control plane's certificate, PEM",
        HelpName = "FILE",
    };

    private readonly Option<string?> _serverName = new("--server-name")
    {
        Description = "The name in the control plane's certificate (default HOST)",
        HelpName = "NAME",
    };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_certificate, _key, _authorities, _serverName]) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (new[] { _certificate, _key, _authorities }.Count(option => result.GetValueIfAny(option) is not null) is 1 or 2)
                result.AddError("--certificate, --key and --ca belong together");
        });
    }

    /// <summary>What was given; null for cleartext.</summary>
    public AdsTlsOptions? Read(ParseResult parsed, string host) => parsed.GetValue(_certificate) is { } chain
        ? new AdsTlsOptions(chain, parsed.GetRequiredValue(_key)!, parsed.GetRequiredValue(_authorities)!, parsed.GetValue(_serverName) ?? host) : null;
}
