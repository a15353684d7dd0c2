using System.Globalization;

namespace Nuncio.Compiler.Resolving;

/// <summary>One <c>--resolve NAME[:PORT]=ADDRESS:PORT</c>.</summary>
/// <param name="Name">The address as the cluster names it, without regard to case; <c>*</c> is any.</param>
/// <param name="Port">Only this port of the name; null is any.</param>
/// <param name="Address">An IP address or host name; IPv6 without brackets.</param>
/// <param name="AddressPort">1 to 65535.</param>
public sealed record AddressOverride(string Name, int? Port, string Address, int AddressPort)
{
    /// <summary>Reads the text of the option; null and a reason when it is not of that form.</summary>
    public static AddressOverride? Parse(string text, out string? error)
    {
        error = $"'{text}' is not NAME[:PORT]=ADDRESS:PORT";
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
            return null;
        var (name, port) = Split(text[..equals]);
        var (address, addressPort) = Split(text[(equals + 1)..]);
        if (name.Length == 0 || address.Length == 0 || addressPort is null)
            return null;
        error = null;
        return new AddressOverride(name, port, address, addressPort.Value);
    }

    /// <summary>The override for a name and port: <c>NAME:PORT</c> before <c>NAME</c> before <c>*</c>, of equals the first.</summary>
    public static AddressOverride? Find(ImmutableArray<AddressOverride> overrides, string name, int port)
    {
        AddressOverride? best = null;
        var bestRank = 0;
        foreach (var candidate in overrides)
        {
            var rank = candidate.RankFor(name, port);
            if (rank <= bestRank)
                continue;
            best = candidate;
            bestRank = rank;
        }

        return best;
    }

    private int RankFor(string name, int port)
    {
        if (Port is { } wanted && wanted != port)
            return 0;
        if (Name == "*")
            return Port is null ? 1 : 2;
        if (!string.Equals(Name, name, StringComparison.OrdinalIgnoreCase))
            return 0;
        return Port is null ? 3 : 4;
    }

    private static (string Host, int? Port) Split(string text)
    {
        if (text.StartsWith('['))
        {
            var close = text.IndexOf(']', StringComparison.Ordinal);
            if (close < 0)
                return ("", null);
            var after = text[(close + 1)..];
            return after.Length == 0 ? (text[1..close], null) : PortOf(after, out var port) ? (text[1..close], port) : ("", null);
        }

        var colon = text.LastIndexOf(':');
        if (colon < 0 || text.IndexOf(':', StringComparison.Ordinal) != colon)
            return (text, null);
        return PortOf(text[colon..], out var number) ? (text[..colon], number) : ("", null);
    }

    private static bool PortOf(string text, out int? port)
    {
        port = null;
        if (text[0] != ':' || !int.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 65535)
            return false;
        port = number;
        return true;
    }
}
