using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.DataPlane.Http;

/// <summary>What is known of a client's connection. Set before its first request and fixed from then on.</summary>
public sealed class DownstreamConnectionInfo
{
    /// <summary>Grows by one per connection of the process.</summary>
    public required long Id { get; init; }

    /// <summary>The TCP peer.</summary>
    public required IPEndPoint DirectRemoteAddress { get; init; }

    /// <summary>The client: the TCP peer, or what the PROXY protocol said.</summary>
    public required IPEndPoint RemoteAddress { get; init; }

    /// <summary>Where it arrived: the socket's own address, or what the PROXY protocol said.</summary>
    public required IPEndPoint LocalAddress { get; init; }

    /// <summary>TLS is terminated here.</summary>
    public bool IsTls { get; init; }

    /// <summary>The name in the ClientHello; empty without.</summary>
    public string ServerName { get; init; } = "";

    /// <summary>The negotiated protocol, such as <c>h2</c>; empty without.</summary>
    public string ApplicationProtocol { get; init; } = "";

    /// <summary>For instance <c>TLSv1.3</c>; empty in cleartext.</summary>
    public string TlsVersion { get; init; } = "";

    /// <summary>The negotiated cipher suite in OpenSSL's name; empty in cleartext.</summary>
    public string TlsCipher { get; init; } = "";

    /// <summary>The client's certificate, if it sent one.</summary>
    public X509Certificate2? PeerCertificate { get; init; }

    /// <summary>The client's chain as PEM, leaf first, for X-Forwarded-Client-Cert; null when it sent none.</summary>
    public IReadOnlyList<X509Certificate2>? PeerCertificateChain { get; init; }

    /// <summary>Our own certificate on this connection.</summary>
    public X509Certificate2? LocalCertificate { get; init; }

    /// <summary>The most bytes of a request or response that a filter may gather (<c>per_connection_buffer_limit_bytes</c>).</summary>
    public int BufferLimit { get; init; } = 1024 * 1024;

    /// <summary>How its listener spells names of headers towards HTTP/1.1, both sides; null for lower case (metadata <c>nuncio.header_case</c>).</summary>
    public HeaderSpelling? HeaderSpelling { get; init; }

    /// <summary>It ended while a request was under way.</summary>
    internal bool EndedInRequest { get; set; }

    /// <summary>Where its listener counts requests; null for nowhere.</summary>
    internal Telemetry.ListenerHttpMetrics? HttpMetrics { get; set; }

    /// <summary>The client certificate was verified against a CA.</summary>
    public bool PeerCertificateValidated { get; init; }
}
