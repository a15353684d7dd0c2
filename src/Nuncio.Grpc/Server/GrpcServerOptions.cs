using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.Grpc.Server;

/// <summary>Where a <see cref="GrpcServer"/> listens and what it bears.</summary>
public sealed record GrpcServerOptions
{
    /// <summary>
    /// Where it listens: an <see cref="IPEndPoint"/> (port 0 for any free one) or a <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>.
    /// </summary>
    public required EndPoint Address { get; init; }

    /// <summary>The certificate for TLS; null for HTTP/2 in cleartext with prior knowledge.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Certificates between <see cref="Certificate"/> and its authority, which are shown with it; empty for none.</summary>
    public X509Certificate2Collection Intermediates { get; init; } = [];

    /// <summary>
    /// Whether a client's certificate will do, given the others that it showed; null when none is asked for. Without one a client is refused.
    /// </summary>
    public Func<X509Certificate2, X509Certificate2Collection, bool>? AcceptClientCertificate { get; init; }

    /// <summary>The largest message that is received, in bytes; 4 MiB.</summary>
    public int MaxReceiveMessageLength { get; init; } = 4 * 1024 * 1024;

    /// <summary>Connections at once; 10,000.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>Calls at once on one connection; 100.</summary>
    public int MaxStreamsPerConnection { get; init; } = 100;

    /// <summary>How many octets of answers wait in memory for one connection before writers wait; 64 KiB.</summary>
    public long MaxBufferedResponseLength { get; init; } = 64 * 1024;

    /// <summary>After how long without octets from a client it is asked for a sign of life; 30 seconds.</summary>
    public TimeSpan KeepAliveDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long that sign may take; 20 seconds. Then the connection is closed.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The clock of deadlines.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
