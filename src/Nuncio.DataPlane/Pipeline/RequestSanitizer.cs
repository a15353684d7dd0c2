using System.Buffers.Text;
using System.Net;
using System.Text;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// What a connection manager does to a request's headers before it is routed (Envoy's ConnectionManagerUtility::mutateRequestHeaders): hop-by-hop
/// headers go, the client's address is found and passed on, what only internal clients may say is removed from others.
/// </summary>
internal static class RequestSanitizer
{
    private static readonly KnownHeader[] EdgeOnly =
    [
        KnownHeader.XEnvoyDecoratorOperation, KnownHeader.XEnvoyDownstreamServiceCluster, KnownHeader.XEnvoyDownstreamServiceNode,
        KnownHeader.XEnvoyOriginalPath, KnownHeader.XEnvoyOriginalHost,
    ];

    private static readonly KnownHeader[] InternalOnly =
    [
        KnownHeader.XEnvoyRetriableStatusCodes, KnownHeader.XEnvoyRetriableHeaderNames, KnownHeader.XEnvoyRetryOn, KnownHeader.XEnvoyRetryGrpcOn,
        KnownHeader.XEnvoyMaxRetries, KnownHeader.XEnvoyUpstreamAltStatName, KnownHeader.XEnvoyUpstreamRqTimeoutMs,
        KnownHeader.XEnvoyUpstreamRqPerTryTimeoutMs, KnownHeader.XEnvoyUpstreamRqTimeoutAltResponse, KnownHeader.XEnvoyExpectedRqTimeoutMs,
        KnownHeader.XEnvoyForceTrace, KnownHeader.XEnvoyIpTags, KnownHeader.XEnvoyHedgeOnPerTryTimeout,
    ];

    /// <summary>Cleans the headers; gives the client's address.</summary>
    public static IPEndPoint Sanitize(HttpServerStream stream, HttpConnectionManagerModel model, RouteConfigurationModel? routes, bool isUpgrade)
    {
        var headers = stream.RequestHeaders;
        RemoveHopByHop(headers, isUpgrade);
        var client = FindClient(headers, stream.Connection, model.ClientAddress, out var mayBeInternal);
        SetScheme(headers, stream, model);
        var isInternal = mayBeInternal && client is not null && IsIn(client.Address, model.ClientAddress.InternalNetworks);
        var remote = client ?? stream.Connection.RemoteAddress;
        var isEdge = !isInternal && model.ClientAddress.UseRemoteAddress;
        if (isInternal)
        {
            headers.Set(KnownHeader.XEnvoyInternal, "true"u8);
        }
        else
        {
            RemoveInternal(headers, isEdge, routes);
        }

        if (model.UserAgent is { } agent)
        {
            headers.Set(KnownHeader.XEnvoyDownstreamServiceCluster, agent);
            if (headers.Get(KnownHeader.UserAgent).IsEmpty)
            {
                headers.Set(KnownHeader.UserAgent, agent);
            }
        }

        if (model.Via.Length > 0)
        {
            HeaderText.Append(headers, KnownHeader.Via, model.Via, ", "u8);
        }

        if (isEdge)
        {
            SetAddress(headers, KnownHeader.XEnvoyExternalAddress, remote.Address);
        }

        if (model.GenerateRequestId)
        {
            RequestIds.Set(headers, isEdge, model.PreserveExternalRequestId);
        }

        ClientCertHeader.Apply(headers, stream.Connection, model.ForwardClientCert);
        return remote;
    }

    private static void RemoveHopByHop(HeaderMap headers, bool isUpgrade)
    {
        if (!isUpgrade)
        {
            headers.Remove(KnownHeader.Connection);
            headers.Remove(KnownHeader.Upgrade);
            ConnectionHeaders.SanitizeTe(headers);
        }

        headers.Remove(KnownHeader.XEnvoyInternal);
        headers.Remove(KnownHeader.KeepAlive);
        headers.Remove(KnownHeader.ProxyConnection);
        headers.Remove(KnownHeader.TransferEncoding);
    }

    private static IPEndPoint? FindClient(HeaderMap headers, DownstreamConnectionInfo connection, ClientAddressModel model, out bool mayBeInternal)
    {
        if (!model.UseRemoteAddress)
        {
            var trusted = FromXff(headers, model.TrustedHops, out mayBeInternal);
            if (!headers.Contains(KnownHeader.XForwardedProto))
            {
                SetForwardedProto(headers, connection, model);
            }

            return trusted;
        }

        mayBeInternal = !headers.Contains(KnownHeader.XForwardedFor);
        var client = model.TrustedHops > 0 ? FromXff(headers, model.TrustedHops - 1, out _) : null;
        client ??= connection.RemoteAddress;
        if (!model.SkipXffAppend)
        {
            // Where the peer is this machine itself: its own address (Envoy's local address).
            AppendXff(headers, IPAddress.IsLoopback(connection.RemoteAddress.Address) ? LocalAddress.Value : connection.RemoteAddress.Address);
        }

        if (model.TrustedHops == 0 || !headers.Contains(KnownHeader.XForwardedProto))
        {
            SetForwardedProto(headers, connection, model);
        }

        if (model.AppendXForwardedPort && (model.TrustedHops == 0 || !headers.Contains(KnownHeader.XForwardedPort)))
        {
            Span<byte> port = stackalloc byte[8];
            _ = Utf8Formatter.TryFormat(connection.LocalAddress.Port, port, out var written);
            headers.Set(KnownHeader.XForwardedPort, port[..written]);
        }

        return client;
    }

    private static void SetForwardedProto(HeaderMap headers, DownstreamConnectionInfo connection, ClientAddressModel model)
    {
        var isHttps = connection.IsTls;
        if (model.HttpsPorts.Count + model.HttpPorts.Count > 0)
        {
            var port = connection.LocalAddress.Port;
            isHttps = Contains(model.HttpsPorts, port) || (isHttps && !Contains(model.HttpPorts, port));
        }

        headers.Set(KnownHeader.XForwardedProto, isHttps ? "https"u8 : "http"u8);
    }

    private static bool Contains(IReadOnlyList<int> ports, int port)
    {
        for (var i = 0; i < ports.Count; i++)
        {
            if (ports[i] == port)
            {
                return true;
            }
        }

        return false;
    }

    // HTTP/1 has no scheme of its own: x-forwarded-proto says it, where that is one.
    private static void SetScheme(HeaderMap headers, HttpServerStream stream, HttpConnectionManagerModel model)
    {
        if (model.SchemeOverwrite is { } overwrite)
        {
            headers.Set(KnownHeader.Scheme, overwrite);
            return;
        }

        if (stream.Version >= HttpProtocolVersion.Http2 && headers.Contains(KnownHeader.Scheme))
        {
            return;
        }

        var forwarded = headers.Get(KnownHeader.XForwardedProto);
        var https = Ascii.EqualsIgnoreCase(forwarded, "https"u8) || (stream.Connection.IsTls && !Ascii.EqualsIgnoreCase(forwarded, "http"u8));
        headers.Set(KnownHeader.Scheme, https ? "https"u8 : "http"u8);
    }

    private static void RemoveInternal(HeaderMap headers, bool isEdge, RouteConfigurationModel? routes)
    {
        if (isEdge)
        {
            foreach (var header in EdgeOnly)
            {
                headers.Remove(header);
            }
        }

        foreach (var header in InternalOnly)
        {
            headers.Remove(header);
        }

        headers.Remove("x-envoy-original-url"u8);
        if (routes is { InternalOnlyHeaders.Count: > 0 })
        {
            for (var i = 0; i < routes.InternalOnlyHeaders.Count; i++)
            {
                headers.Remove(routes.InternalOnlyHeaders[i]);
            }
        }
    }

    // The last address of x-forwarded-for but so many.
    private static IPEndPoint? FromXff(HeaderMap headers, int skip, out bool isOnly)
    {
        isOnly = false;
        if (!headers.Contains(KnownHeader.XForwardedFor))
        {
            return null;
        }

        HeaderText.Join(headers, KnownHeader.XForwardedFor, ","u8);
        var rest = headers.Get(KnownHeader.XForwardedFor);
        for (var i = 0; i < skip; i++)
        {
            var last = rest.LastIndexOf((byte)',');
            if (last < 0)
            {
                return null;
            }

            rest = rest[..last];
        }

        var comma = rest.LastIndexOf((byte)',');
        var text = (comma >= 0 && comma + 1 < rest.Length ? rest[(comma + 1)..] : rest).Trim((byte)' ').Trim((byte)'\t');
        if (text.IsEmpty || text.Length > 64 || !TryParseAddress(text, out var address))
        {
            return null;
        }

        isOnly = comma < 0 && skip == 0;
        return new IPEndPoint(address, 0);
    }

    // Strict where IPAddress.Parse is not: "1" and "1.2" are no addresses.
    private static bool TryParseAddress(ReadOnlySpan<byte> text, out IPAddress address)
    {
        Span<char> chars = stackalloc char[text.Length];
        Encoding.Latin1.GetChars(text, chars);
        return IPAddress.TryParse(chars, out address!) && (text.Contains((byte)':') ? text[0] != (byte)'[' : text.Count((byte)'.') == 3);
    }

    private static void AppendXff(HeaderMap headers, IPAddress address)
    {
        Span<byte> text = stackalloc byte[65];
        _ = address.TryFormat(text, out var written);
        HeaderText.Append(headers, KnownHeader.XForwardedFor, text[..written], ","u8);
    }

    private static void SetAddress(HeaderMap headers, KnownHeader header, IPAddress address)
    {
        Span<byte> text = stackalloc byte[65];
        _ = address.TryFormat(text, out var written);
        headers.Set(header, text[..written]);
    }

    private static bool IsIn(IPAddress address, IReadOnlyList<IPNetwork> networks)
    {
        for (var i = 0; i < networks.Count; i++)
        {
            if (networks[i].Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}
