namespace Nuncio.DataPlane.Model;

/// <summary>How a listener speaks QUIC (<c>udp_listener_config.quic_options</c>).</summary>
public sealed record QuicListenerModel
{
    /// <summary><c>quic_protocol_options.max_concurrent_streams</c>: requests that a client may have under way on a connection; 100.</summary>
    public int MaxConcurrentStreams { get; init; } = 100;

    /// <summary><c>quic_protocol_options.initial_stream_window_size</c>, bytes; null leaves it to the platform.</summary>
    public int? InitialStreamWindowSize { get; init; }

    /// <summary><c>quic_protocol_options.initial_connection_window_size</c>, bytes; null leaves it to the platform.</summary>
    public int? InitialConnectionWindowSize { get; init; }

    /// <summary>
    /// <c>quic_protocol_options.idle_network_timeout</c>, else <c>idle_timeout</c>: a client of which nothing comes for so long is gone; 5 minutes.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary><c>crypto_handshake_timeout</c>; 20 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(20);
}
