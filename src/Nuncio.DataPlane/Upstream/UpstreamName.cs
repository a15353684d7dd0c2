using System.Net;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Upstream;

/// <summary>
/// What the connection of a request must be made with, where the request says it (Envoy's <c>auto_sni</c> and <c>auto_san_validation</c>). Connections
/// made for one name carry no requests for another.
/// </summary>
/// <param name="ServerName">The SNI; null leaves it to the transport socket.</param>
/// <param name="SubjectName">A name that the upstream's certificate must have; null leaves it to the transport socket.</param>
internal sealed record UpstreamName(string? ServerName, string? SubjectName)
{
    private const int MaxServerName = 253;

    /// <summary>The header that takes the place of the host, read before header changes of the route, as in Envoy; null where the host counts.</summary>
    public static string? Override(ClusterModel cluster, HeaderMap headers) =>
        cluster.AutoName is { Header: { } header } && headers.TryGet(header, out var value) && !value.IsEmpty ? Encoding.Latin1.GetString(value) : null;

    /// <summary>Of a request whose headers do not change any more; null where its cluster does not ask for it, or has no TLS.</summary>
    public static UpstreamName? Of(ClusterModel cluster, HeaderMap headers) => Of(cluster, headers, Override(cluster, headers));

    /// <summary>Of a request whose host has been rewritten; null where its cluster does not ask for it, or has no TLS.</summary>
    /// <param name="cluster">Where it goes.</param>
    /// <param name="headers">Its headers.</param>
    /// <param name="over">What <see cref="Override"/> gave.</param>
    public static UpstreamName? Of(ClusterModel cluster, HeaderMap headers, string? over)
    {
        if (cluster.AutoName is not { } auto || cluster.Transport is not { IsTls: true })
        {
            return null;
        }

        var host = WithoutPort(over ?? Encoding.Latin1.GetString(headers.Get(KnownHeader.Authority)));
        if (host.Length == 0)
        {
            return null;
        }

        var isAddress = IPAddress.TryParse(host, out _);
        return new UpstreamName(auto.ServerName && !isAddress && IsServerName(host) ? host : null, auto.SubjectName ? host : null);
    }

    private static string WithoutPort(string authority)
    {
        if (authority.StartsWith('['))
        {
            var end = authority.IndexOf(']', StringComparison.Ordinal);
            return end < 0 ? authority : authority[1..end];
        }

        var colon = authority.LastIndexOf(':');
        return colon < 0 || authority.IndexOf(':', StringComparison.Ordinal) != colon ? authority : authority[..colon];
    }

    // RFC 6066 section 3: a DNS host name. Others would not leave the TLS library.
    private static bool IsServerName(string host)
    {
        foreach (var c in host)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_'))
            {
                return false;
            }
        }

        return host.Length <= MaxServerName && host[0] != '.' && !host.Contains("..", StringComparison.Ordinal);
    }
}
