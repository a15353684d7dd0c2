using Nuncio.DataPlane.Binding;

namespace Nuncio.DataPlane.Http.Http3;

/// <summary>Makes codec settings of the message that holds them.</summary>
internal static class Http3OptionsBinder
{
    /// <summary>The settings of a message; null has Envoy's defaults.</summary>
    public static Http3Options Bind(CoreV3.Http3ProtocolOptions? message, string path, BindErrors errors)
    {
        if (message is null)
        {
            return Http3Options.Default;
        }

        // disable_qpack asks for less than the encoder does not do anyway: it keeps no table.
        SupportedFields.Check(
            message, path, errors, "quic_protocol_options", "override_stream_error_on_invalid_http_message", "allow_extended_connect", "disable_qpack");
        path = BindErrors.Path(path, "quic_protocol_options");
        var quic = message.QuicProtocolOptions;

        // As in Envoy streams and windows are the listener's.
        SupportedFields.Check(quic, path, errors, "connection_keepalive");
        return new Http3Options
        {
            KeepaliveInterval = Keepalive(quic?.ConnectionKeepalive, BindErrors.Path(path, "connection_keepalive"), errors),
            AllowExtendedConnect = message.AllowExtendedConnect,
        };
    }

    // A server sends none without a first interval; the platform has one interval for all.
    private static TimeSpan? Keepalive(CoreV3.QuicKeepAliveSettings? message, string path, BindErrors errors)
    {
        var longest = ValueBinder.Duration(message?.MaxInterval, BindErrors.Path(path, "max_interval"), errors);
        var first = ValueBinder.Duration(message?.InitialInterval, BindErrors.Path(path, "initial_interval"), errors);
        return longest == TimeSpan.Zero || first <= TimeSpan.Zero ? null : first;
    }
}
