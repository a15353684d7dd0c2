using System.Net;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// What a connection manager does to a request's headers before routing, as Envoy does: removes what is hop-by-hop, finds out who the client is, believes or
/// replaces what the client claims about itself (<c>x-forwarded-*</c>, <c>x-envoy-*</c>), and gives the request an id.
/// </summary>
public static class RequestHeaderPolicy
{
    // More than anyone names; beyond it the header is an attack (Envoy's number).
    private const int MaxNominatedHeaders = 10;

    // What only a caller inside the mesh may say.
    private static readonly KnownHeader[] InternalOnly =
    [
        KnownHeader.XEnvoyRetriableStatusCodes, KnownHeader.XEnvoyRetriableHeaderNames, KnownHeader.XEnvoyRetryOn, KnownHeader.XEnvoyRetryGrpcOn,
        KnownHeader.XEnvoyMaxRetries, KnownHeader.XEnvoyUpstreamAltStatName, KnownHeader.XEnvoyUpstreamRqTimeoutMs,
        KnownHeader.XEnvoyUpstreamRqPerTryTimeoutMs, KnownHeader.XEnvoyUpstreamRqTimeoutAltResponse, KnownHeader.XEnvoyExpectedRqTimeoutMs,
        KnownHeader.XEnvoyForceTrace, KnownHeader.XEnvoyIpTags, KnownHeader.XEnvoyHedgeOnPerTryTimeout,
    ];

    // What the first proxy says to those behind it: an outside client has no say in it.
    private static readonly KnownHeader[] EdgeOnly =
    [
        KnownHeader.XEnvoyDecoratorOperation, KnownHeader.XEnvoyDownstreamServiceCluster, KnownHeader.XEnvoyDownstreamServiceNode,
        KnownHeader.XEnvoyOriginalPath, KnownHeader.XEnvoyOriginalHost,
    ];

    /// <summary>
    /// Removes the headers that the Connection header names (RFC 9110 section 7.6.1). False when it names what must not be removed (pseudo-headers,
    /// <c>x-forwarded-*</c>) or too much: the request is to be answered 400.
    /// </summary>
    public static bool RemoveNominated(HeaderMap headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (!headers.TryGet(KnownHeader.Connection, out var connection))
        {
            return true;
        }

        Span<byte> name = stackalloc byte[64];
        var list = connection;
        var names = 0;
        while (!list.IsEmpty)
        {
            var comma = list.IndexOf((byte)',');
            var token = (comma < 0 ? list : list[..comma]).Trim(" \t"u8);
            list = comma < 0 ? default : list[(comma + 1)..];
            if (token.IsEmpty)
            {
                continue;
            }

            if (++names > MaxNominatedHeaders)
            {
                return false;
            }

            if (token.Length > name.Length)
            {
                continue;
            }

            Ascii.ToLower(token, name, out _);
            var lower = name[..token.Length];
            if (lower[0] == ':')
            {
                return false;
            }

            switch (KnownHeaders.Find(lower))
            {
                case KnownHeader.XForwardedFor or KnownHeader.XForwardedHost or KnownHeader.XForwardedProto:
                    return false;
                // The framing's own words, and TE, which has a rule of its own.
                case KnownHeader.Connection or KnownHeader.Upgrade or KnownHeader.KeepAlive or KnownHeader.Te or KnownHeader.TransferEncoding
                    or KnownHeader.ContentLength or KnownHeader.Host:
                    break;
                default:
                    if (headers.Remove(lower))
                    {
                        // Values may have moved; the list is read again behind what is done.
                        connection = headers.Get(KnownHeader.Connection);
                        list = comma < 0 ? default : connection[^list.Length..];
                    }

                    break;
            }
        }

        return true;
    }

    /// <summary>Does the work on a request's headers.</summary>
    /// <param name="headers">With pseudo-headers.</param>
    /// <param name="connection">The connection it came by.</param>
    /// <param name="model">The connection manager.</param>
    /// <param name="isUpgrade">It asks for an upgrade: Connection and Upgrade stay.</param>
    /// <returns>The client.</returns>
    public static IPEndPoint Apply(HeaderMap headers, DownstreamConnectionInfo connection, HttpConnectionManagerModel model, bool isUpgrade)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(model);
        RemoveHopByHop(headers, isUpgrade);
        var client = FindClient(headers, connection, model.ClientAddress, out var isSingleHop);
        SetScheme(headers, connection, model);
        var isInternal = isSingleHop && client is not null && IsInternal(client.Address, model.ClientAddress.InternalNetworks);
        client ??= connection.RemoteAddress;
        var isEdge = !isInternal && model.ClientAddress.UseRemoteAddress;
        if (isInternal)
        {
            headers.Set(KnownHeader.XEnvoyInternal, "true"u8);
        }
        else
        {
            RemoveClaims(headers, isEdge);
        }

        AddOwnName(headers, model);
        if (isEdge)
        {
            SetAddress(headers, KnownHeader.XEnvoyExternalAddress, client.Address);
        }

        if (model.GenerateRequestId && ((isEdge && !model.PreserveExternalRequestId) || !headers.Contains(KnownHeader.XRequestId)))
        {
            SetRequestId(headers);
        }

        ClientCertificateHeader.Apply(headers, connection, model.ForwardClientCert);
        return client;
    }

    private static void RemoveHopByHop(HeaderMap headers, bool isUpgrade)
    {
        if (!isUpgrade)
        {
            headers.Remove(KnownHeader.Connection);
            headers.Remove(KnownHeader.Upgrade);
        }

        headers.Remove(KnownHeader.XEnvoyInternal);
        headers.Remove(KnownHeader.KeepAlive);
        headers.Remove(KnownHeader.ProxyConnection);
        headers.Remove(KnownHeader.TransferEncoding);
        if (headers.TryGet(KnownHeader.Te, out var te))
        {
            if (ListsTrailers(te))
            {
                headers.Set(KnownHeader.Te, "trailers"u8);
            }
            else
            {
                headers.Remove(KnownHeader.Te);
            }
        }
    }

    private static bool ListsTrailers(ReadOnlySpan<byte> list)
    {
        while (!list.IsEmpty)
        {
            var comma = list.IndexOf((byte)',');
            var token = (comma < 0 ? list : list[..comma]).Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(token, "trailers"u8))
            {
                return true;
            }

            list = comma < 0 ? default : list[(comma + 1)..];
        }

        return false;
    }

    private static IPEndPoint? FindClient(HeaderMap headers, DownstreamConnectionInfo connection, ClientAddressModel model, out bool isSingleHop)
    {
        MergeForwardedFor(headers);
        if (!model.UseRemoteAddress)
        {
            return LastForwarded(headers, model.TrustedHops, out isSingleHop) ?? connection.RemoteAddress;
        }

        isSingleHop = !headers.Contains(KnownHeader.XForwardedFor);
        var client = model.TrustedHops > 0 ? LastForwarded(headers, model.TrustedHops - 1, out _) : null;
        client ??= connection.RemoteAddress;
        if (!model.SkipXffAppend)
        {
            AppendForwardedFor(headers, IPAddress.IsLoopback(connection.RemoteAddress.Address) ? LocalAddress.OfThisMachine : connection.RemoteAddress.Address);
        }

        if (model.TrustedHops == 0 || !headers.Contains(KnownHeader.XForwardedProto))
        {
            headers.Set(KnownHeader.XForwardedProto, IsHttps(connection, model) ? "https"u8 : "http"u8);
        }

        if (model.AppendXForwardedPort && (model.TrustedHops == 0 || !headers.Contains(KnownHeader.XForwardedPort)))
        {
            Span<byte> digits = stackalloc byte[5];
            System.Buffers.Text.Utf8Formatter.TryFormat(connection.LocalAddress.Port, digits, out var written);
            headers.Set(KnownHeader.XForwardedPort, digits[..written]);
        }

        return client;
    }

    private static bool IsHttps(DownstreamConnectionInfo connection, ClientAddressModel model)
    {
        var port = connection.LocalAddress.Port;
        return Contains(model.HttpsPorts, port) || (!Contains(model.HttpPorts, port) && connection.IsTls);
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

    // HTTP/1.1 has no scheme: it is what the connection, or a proxy that is believed, says. A client of HTTP/2 may not claim another.
    private static void SetScheme(HeaderMap headers, DownstreamConnectionInfo connection, HttpConnectionManagerModel model)
    {
        if (model.SchemeOverwrite is { } scheme)
        {
            headers.Set(KnownHeader.Scheme, scheme);
            return;
        }

        var forwarded = headers.Get(KnownHeader.XForwardedProto);
        if (Ascii.EqualsIgnoreCase(forwarded, "https"u8))
        {
            headers.Set(KnownHeader.Scheme, "https"u8);
        }
        else if (Ascii.EqualsIgnoreCase(forwarded, "http"u8))
        {
            headers.Set(KnownHeader.Scheme, "http"u8);
        }
        else
        {
            headers.Set(KnownHeader.Scheme, connection.IsTls ? "https"u8 : "http"u8);
        }
    }

    private static void MergeForwardedFor(HeaderMap headers)
    {
        var name = KnownHeaders.NameOf(KnownHeader.XForwardedFor);
        if (headers.CountOf(name) < 2)
        {
            return;
        }

        var all = new List<byte>();
        foreach (var header in headers)
        {
            if (header.Known == KnownHeader.XForwardedFor)
            {
                if (all.Count > 0)
                {
                    all.Add((byte)',');
                }

                all.AddRange(header.Value);
            }
        }

        headers.Set(KnownHeader.XForwardedFor, all.ToArray());
    }

    private static IPEndPoint? LastForwarded(HeaderMap headers, int skip, out bool isSingle)
    {
        isSingle = false;
        if (!headers.TryGet(KnownHeader.XForwardedFor, out var list))
        {
            return null;
        }

        for (var i = 0; i < skip; i++)
        {
            var comma = list.LastIndexOf((byte)',');
            if (comma < 0)
            {
                return null;
            }

            list = list[..comma];
        }

        var last = list.LastIndexOf((byte)',');
        isSingle = last < 0 && skip == 0;
        var text = (last < 0 ? list : list[(last + 1)..]).Trim(" \t"u8);
        return text.Length is > 1 and <= 64 && IPAddress.TryParse(Encoding.Latin1.GetString(text), out var address) ? new IPEndPoint(address, 0) : null;
    }

    private static void AppendForwardedFor(HeaderMap headers, IPAddress address)
    {
        Span<byte> text = stackalloc byte[64];
        address.TryFormat(text, out var written);
        var before = headers.Get(KnownHeader.XForwardedFor);
        if (before.IsEmpty)
        {
            headers.Set(KnownHeader.XForwardedFor, text[..written]);
            return;
        }

        var length = before.Length + 1 + written;
        var rented = length > 512 ? System.Buffers.ArrayPool<byte>.Shared.Rent(length) : null;
        var joined = rented ?? stackalloc byte[512];
        before.CopyTo(joined);
        joined[before.Length] = (byte)',';
        text[..written].CopyTo(joined[(before.Length + 1)..]);
        headers.Set(KnownHeader.XForwardedFor, joined[..length]);
        if (rented is not null)
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static void SetAddress(HeaderMap headers, KnownHeader header, IPAddress address)
    {
        Span<byte> text = stackalloc byte[64];
        address.TryFormat(text, out var written);
        headers.Set(header, text[..written]);
    }

    private static bool IsInternal(IPAddress address, IReadOnlyList<IPNetwork> networks)
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

    private static void RemoveClaims(HeaderMap headers, bool isEdge)
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
    }

    private static void AddOwnName(HeaderMap headers, HttpConnectionManagerModel model)
    {
        if (model.UserAgent is { } name)
        {
            headers.Set(KnownHeader.XEnvoyDownstreamServiceCluster, name);
            if (headers.Get(KnownHeader.UserAgent).IsEmpty)
            {
                headers.Set(KnownHeader.UserAgent, name);
            }
        }

        if (model.Via.Length > 0)
        {
            ViaHeader.Append(headers, model.Via);
        }
    }

    private static void SetRequestId(HeaderMap headers)
    {
        Span<byte> text = stackalloc byte[36];
        Guid.NewGuid().TryFormat(text, out _, "d");
        headers.Set(KnownHeader.XRequestId, text);
    }
}
