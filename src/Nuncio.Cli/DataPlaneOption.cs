using System.CommandLine;
using System.CommandLine.Parsing;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.Cli;

/// <summary><c>--data-plane</c>: what takes traffic, for <c>nuncio run</c> and for commands that say what it would do.</summary>
internal sealed class DataPlaneOption
{
    /// <summary>The proxy in this process.</summary>
    public const string Embedded = "embedded";

    /// <summary>An Envoy that is started and watched.</summary>
    public const string Envoy = "envoy";

    /// <summary>What gets ADS elsewhere.</summary>
    public const string None = "none";

    private readonly Option<string> _option;

    /// <param name="description">What it means for the command.</param>
    public DataPlaneOption(string description)
    {
        _option = new Option<string>("--data-plane") { Description = description, DefaultValueFactory = _ => Embedded };
        _option.AcceptOnlyFromAmong(Embedded, Envoy, None);
    }

    /// <summary>For commands that start nothing.</summary>
    public static DataPlaneOption OfRun() => new("What 'nuncio run' would be given: embedded (default), envoy or none");

    public void AddTo(Command command) => command.Options.Add(_option);

    public string Read(ParseResult parsed) => parsed.GetRequiredValue(_option);

    /// <summary>The value of a command line that may be wrong; null when it is.</summary>
    public string? ReadIfAny(SymbolResult result) => result.GetValueIfAny(_option);

    /// <summary>Whether HTTP/3 can be served: an Envoy always does, the proxy in this process where the machine has QUIC.</summary>
    public bool ServesHttp3(ParseResult parsed) => Read(parsed) != Embedded || QuicSupport.IsAvailable;
}
