using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Nuncio.Compiler.Resolving;

/// <summary>Which transport a service text asks for.</summary>
public enum ServiceScheme
{
    /// <summary>No scheme was given: the TLS settings beside it decide.</summary>
    None,

    /// <summary><c>http://</c>.</summary>
    Http,

    /// <summary><c>https://</c>: TLS is originated.</summary>
    Https,

    /// <summary>Another scheme, which is an error and otherwise ignored.</summary>
    Other,
}

/// <summary>
/// A parsed <c>[scheme://]host[:port]</c> (SPEC 8.1). The host is lower case and percent-decoded; an IPv6 literal is without brackets.
/// </summary>
/// <param name="Scheme">What stood before <c>://</c>.</param>
/// <param name="SchemeText">The scheme as written, lower case; empty when there is none.</param>
/// <param name="Host">Empty when missing.</param>
/// <param name="Port">Null when none was given, or it was not a port.</param>
/// <param name="HasExtra">A path, query or fragment follows, which is ignored.</param>
/// <param name="Error">Why the text cannot be used; null when it can.</param>
public sealed record ServiceName(ServiceScheme Scheme, string SchemeText, string Host, int? Port, bool HasExtra, string? Error)
{
    /// <summary>Whether the host is an IP address.</summary>
    public bool IsAddress => IPAddress.TryParse(Host, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 || Host.Count('.') == 3);

    /// <summary>The host as it stands in a URL: IPv6 in brackets.</summary>
    public string UrlHost => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;

    /// <summary>The canonical text: what was written, with the host qualified and decoded, and no path.</summary>
    public string Text
    {
        get
        {
            var scheme = SchemeText.Length == 0 ? "" : SchemeText + "://";
            return Port is { } port and not 0 ? string.Create(CultureInfo.InvariantCulture, $"{scheme}{UrlHost}:{port}") : scheme + UrlHost;
        }
    }

    /// <summary>Parses; never throws, a text that cannot be used has <see cref="Error"/> set.</summary>
    public static ServiceName Parse(string text)
    {
        var rest = text.AsSpan().Trim();
        var scheme = ServiceScheme.None;
        var schemeText = "";
        var mark = rest.IndexOf("://", StringComparison.Ordinal);
        if (mark >= 0)
        {
            schemeText = rest[..mark].ToString().ToLowerInvariant();
            scheme = schemeText switch { "http" => ServiceScheme.Http, "https" => ServiceScheme.Https, "" => ServiceScheme.None, _ => ServiceScheme.Other };
            rest = rest[(mark + 3)..];
        }
        else if (rest.StartsWith("//", StringComparison.Ordinal))
        {
            rest = rest[2..];
        }

        var end = rest.IndexOfAny("/?#");
        var hasExtra = end >= 0;
        var authority = hasExtra ? rest[..end] : rest;
        var at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            hasExtra = true;
            authority = authority[(at + 1)..];
        }

        return ParseAuthority(authority, scheme, schemeText, hasExtra);
    }

    private static ServiceName ParseAuthority(ReadOnlySpan<char> authority, ServiceScheme scheme, string schemeText, bool hasExtra)
    {
        ReadOnlySpan<char> host;
        var portText = ReadOnlySpan<char>.Empty;
        if (authority.StartsWith("["))
        {
            var close = authority.IndexOf(']');
            if (close < 0) return Bad("an opening bracket without a closing one");
            host = authority[1..close];
            var after = authority[(close + 1)..];
            if (after.Length > 0 && after[0] != ':') return Bad("text between the bracket and the port");
            if (after.Length > 0) portText = after[1..];
            if (!IPAddress.TryParse(host, out var address) || address.AddressFamily != AddressFamily.InterNetworkV6) return Bad("no IPv6 address in brackets");
        }
        else
        {
            var colon = authority.LastIndexOf(':');
            host = colon < 0 ? authority : authority[..colon];
            if (colon >= 0) portText = authority[(colon + 1)..];
            if (host.Contains(':')) return Bad("an IPv6 address must stand in brackets");
        }

        if (host.IsEmpty) return Bad("no host name");
        if (!TryDecode(host, out var decoded)) return Bad("a percent sign that is not followed by two hexadecimal digits");
        foreach (var c in decoded)
            if (c <= ' ' || c == 0x7f) return Bad("a blank or control character in the host name");
        int? port = null;
        if (!portText.IsEmpty)
        {
            if (!int.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 65535)
                return new ServiceName(scheme, schemeText, decoded, null, hasExtra, $"'{portText}' is not a port between 1 and 65535");
            port = number;
        }

        return new ServiceName(scheme, schemeText, decoded, port, hasExtra, null);

        ServiceName Bad(string why) => new(scheme, schemeText, "", null, hasExtra, why);
    }

    private static bool TryDecode(ReadOnlySpan<char> host, out string decoded)
    {
        decoded = "";
        for (var i = 0; i < host.Length; i++)
        {
            if (host[i] != '%') continue;
            if (i + 2 >= host.Length || !char.IsAsciiHexDigit(host[i + 1]) || !char.IsAsciiHexDigit(host[i + 2])) return false;
            i += 2;
        }

        var text = host.ToString().ToLowerInvariant();
        decoded = host.Contains('%') ? Uri.UnescapeDataString(text) : text;
        return true;
    }
}
