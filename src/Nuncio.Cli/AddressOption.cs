using System.CommandLine;
using System.Net;

namespace Nuncio.Cli;

/// <summary>Options whose value is an address with a port.</summary>
internal static class AddressOption
{
    /// <summary>An option with a default.</summary>
    public static Option<IPEndPoint> Create(string name, string description, IPEndPoint byDefault) => new(name)
    {
        Description = description + $" (default {byDefault})",
        HelpName = "ADDRESS:PORT",
        DefaultValueFactory = _ => byDefault,
        CustomParser = result =>
        {
            if (result.Tokens is [var token] && token.Value.LastIndexOf(':') > 0 && IPEndPoint.TryParse(token.Value, out var endPoint)) return endPoint;
            result.AddError($"{name}: '{string.Join(' ', result.Tokens.Select(token => token.Value))}' is not ADDRESS:PORT");
            return byDefault;
        },
    };
}
