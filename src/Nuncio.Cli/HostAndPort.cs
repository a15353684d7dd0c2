using System.Globalization;

namespace Nuncio.Cli;

/// <summary>A name or address with a port, as people write it.</summary>
internal static class HostAndPort
{
    /// <summary>Reads <c>name:port</c>, <c>1.2.3.4:port</c> or <c>[::1]:port</c>; null for anything else.</summary>
    public static (string Host, uint Port)? Parse(string? text)
    {
        if (text is null || text.LastIndexOf(':') is not (> 0 and var colon)) return null;
        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0) return null;
        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal)) return null;
        return Uri.CheckHostName(host) == UriHostNameType.Unknown ? null : (host, port);
    }
}
