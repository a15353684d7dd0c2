using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Service.Auth.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Tls;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>What an authorization service is told of a request (envoy.service.auth.v3.AttributeContext).</summary>
internal static class ExtAuthzCheck
{
    /// <summary>The message.</summary>
    public static CheckRequest Request(HttpExchange exchange, ExtAuthzModel filter, string filterName, ExtAuthzBodyModel? settings, RequestBufferResult? body)
    {
        var connection = exchange.Downstream.Connection;
        var headers = exchange.RequestHeaders;
        var http = new AttributeContext.Types.HttpRequest
        {
            Id = exchange.Random.ToString(CultureInfo.InvariantCulture),
            Method = Text(headers.Get(KnownHeader.Method)),
            Path = Text(headers.Get(KnownHeader.Path)),
            Host = Text(headers.Get(KnownHeader.Authority)),
            Scheme = Text(headers.Get(KnownHeader.Scheme)),
            Size = exchange.RequestHasNoBody ? 0 : exchange.Downstream.BytesReceived,
            Protocol = exchange.Downstream.Version switch
            {
                HttpProtocolVersion.Http2 => "HTTP/2",
                HttpProtocolVersion.Http10 => "HTTP/1.0",
                _ => "HTTP/1.1",
            },
        };
        AddHeaders(http, headers, filter);
        if (body is { } sent)
        {
            AddBody(http, filter, settings!, sent);
        }

        var attributes = new AttributeContext
        {
            Source = Peer(connection.RemoteAddress, connection.PeerCertificate, filter.IncludePeerCertificate),
            Destination = Peer(connection.LocalAddress, connection.LocalCertificate, includeCertificate: false),
            Request = new AttributeContext.Types.Request { Time = Timestamp.FromDateTimeOffset(exchange.StartTime), Http = http },
            MetadataContext = new CoreV3.Metadata(),
            RouteMetadataContext = new CoreV3.Metadata(),
        };
        attributes.Source.Service = Text(headers.Get(KnownHeader.XEnvoyDownstreamServiceCluster));
        if (filter.IncludeTlsSession && connection.IsTls)
        {
            attributes.TlsSession = new AttributeContext.Types.TLSSession { Sni = connection.ServerName };
        }

        AddContext(attributes, exchange.RouteConfiguration?.FilterConfigs, filterName);
        AddContext(attributes, exchange.VirtualHost?.FilterConfigs, filterName);
        AddContext(attributes, exchange.Route?.FilterConfigs, filterName);
        AddContext(attributes, exchange.WeightedCluster?.FilterConfigs, filterName);
        return new CheckRequest { Attributes = attributes };
    }

    /// <summary>Adds a header, or appends its value after a comma to the one that is there.</summary>
    public static void AddJoined(HeaderMap headers, KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!headers.TryGet(name, out var old))
        {
            headers.Add(name, value);
            return;
        }

        var joined = FormatBuffer.Rent();
        joined.Write(old);
        joined.Write((byte)',');
        joined.Write(value);
        if (known == KnownHeader.None)
        {
            headers.Set(name, joined.Written);
        }
        else
        {
            headers.Set(known, joined.Written);
        }

        joined.Return();
    }

    private static void AddHeaders(AttributeContext.Types.HttpRequest http, HeaderMap headers, ExtAuthzModel filter)
    {
        foreach (var header in headers)
        {
            var name = header.Name;
            if ((filter.AllowedHeaders is { } allowed && !allowed.Includes(name)) || filter.DisallowedHeaders?.Includes(name) == true
                || name.SequenceEqual("x-envoy-auth-partial-body"u8))
            {
                continue;
            }

            if (filter.EncodeRawHeaders)
            {
                http.HeaderMap ??= new CoreV3.HeaderMap();
                http.HeaderMap.Headers.Add(new CoreV3.HeaderValue { Key = Text(name), RawValue = ByteString.CopyFrom(header.Value) });
                continue;
            }

            var key = Text(name);
            var value = Text(header.Value);
            http.Headers[key] = http.Headers.TryGetValue(key, out var before) ? before + "," + value : value;
        }
    }

    private static void AddBody(AttributeContext.Types.HttpRequest http, ExtAuthzModel filter, ExtAuthzBodyModel settings, RequestBufferResult body)
    {
        if (settings.PackAsBytes)
        {
            http.RawBody = ByteString.CopyFrom(body.Kept.Span);
        }
        else
        {
            http.Body = Text(body.Kept.Span);
        }

        var partial = body.IsComplete && body.Kept.Length == body.Length ? "false" : "true";
        if (filter.EncodeRawHeaders)
        {
            http.HeaderMap ??= new CoreV3.HeaderMap();
            http.HeaderMap.Headers.Add(new CoreV3.HeaderValue { Key = "x-envoy-auth-partial-body", RawValue = ByteString.CopyFromUtf8(partial) });
        }
        else
        {
            http.Headers["x-envoy-auth-partial-body"] = partial;
        }
    }

    private static void AddContext(AttributeContext attributes, FilterConfigMap? configs, string filterName)
    {
        if (configs?.Find(filterName) is not ExtAuthzRouteConfig config)
        {
            return;
        }

        foreach (var (key, value) in config.ContextExtensions)
        {
            attributes.ContextExtensions[key] = value;
        }
    }

    private static AttributeContext.Types.Peer Peer(IPEndPoint address, X509Certificate2? certificate, bool includeCertificate)
    {
        var peer = new AttributeContext.Types.Peer
        {
            Address = new CoreV3.Address
            {
                SocketAddress = new CoreV3.SocketAddress
                {
                    Address = (address.Address.IsIPv4MappedToIPv6 ? address.Address.MapToIPv4() : address.Address).ToString(),
                    PortValue = (uint)address.Port,
                },
            },
        };
        if (certificate is not null)
        {
            peer.Principal = CertificateText.UriNames(certificate) is [var uri, ..] ? uri
                : CertificateText.DnsNames(certificate) is [var dns, ..] ? dns : CertificateText.Subject(certificate);
            if (includeCertificate)
            {
                peer.Certificate = CertificateText.UrlEncodedPem(certificate);
            }
        }

        return peer;
    }

    // What is no UTF-8 is replaced as Envoy does it, since a protobuf string can hold nothing else.
    private static string Text(ReadOnlySpan<byte> bytes) => Sanitizing.GetString(bytes);

    private static readonly Encoding Sanitizing = Encoding.GetEncoding("utf-8", EncoderFallback.ReplacementFallback, new DecoderReplacementFallback("!"));
}
