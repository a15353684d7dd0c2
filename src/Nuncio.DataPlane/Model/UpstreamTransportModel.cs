using System.Net;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Model;

/// <summary>What lies on top of TCP towards an upstream: TLS. Bound from a cluster's <c>transport_socket</c>.</summary>
public abstract class UpstreamTransportModel
{
    /// <summary>Requests over it are https.</summary>
    public abstract bool IsTls { get; }

    /// <summary>
    /// Does the handshake over a connection that was just made. On failure the connection is closed and the result says why, as
    /// <see cref="TransportConnector.ConnectAsync"/> does.
    /// </summary>
    /// <param name="connection">The TCP connection; owned by the result.</param>
    /// <param name="remote">Where it leads.</param>
    /// <param name="options">What depends on the request or the pool.</param>
    /// <param name="cancellationToken">Gives up; the caller measures the time.</param>
    public abstract ValueTask<UpstreamHandshake> HandshakeAsync(
        TransportConnection connection, IPEndPoint remote, UpstreamHandshakeOptions options, CancellationToken cancellationToken);
}

/// <summary>What of a handshake depends on the pool.</summary>
/// <param name="ApplicationProtocols">Offered by ALPN where the message names none.</param>
/// <param name="HostName">The endpoint's name; empty for none (<c>auto_host_sni</c>).</param>
/// <param name="ServerName">Overrides the message's SNI (<c>auto_sni</c>); null does not.</param>
/// <param name="SubjectName">A name that the certificate must have besides what the message asks for (<c>auto_san_validation</c>); null for none.</param>
public sealed record UpstreamHandshakeOptions(
    IReadOnlyList<string> ApplicationProtocols, string HostName, string? ServerName = null, string? SubjectName = null);

/// <summary>A handshake's result.</summary>
/// <param name="Connect">The TLS connection, or why there is none.</param>
/// <param name="ApplicationProtocol">What ALPN chose; empty for none.</param>
public readonly record struct UpstreamHandshake(TransportConnect Connect, string ApplicationProtocol);
