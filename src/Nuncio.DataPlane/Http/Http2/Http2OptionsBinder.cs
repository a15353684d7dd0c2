using Nuncio.DataPlane.Binding;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>Makes codec settings of the message that holds them. Which fields a message may have is checked where it is bound.</summary>
public static class Http2OptionsBinder
{
    /// <summary>The settings of a message; null has Envoy's defaults.</summary>
    public static Http2Options Bind(CoreV3.Http2ProtocolOptions? message)
    {
        var defaults = Http2Options.Default;
        if (message is null)
        {
            return defaults;
        }

        return new Http2Options
        {
            HpackTableSize = message.HpackTableSize ?? defaults.HpackTableSize,
            MaxConcurrentStreams = message.MaxConcurrentStreams ?? defaults.MaxConcurrentStreams,
            InitialStreamWindowSize = Limited(message.InitialStreamWindowSize, defaults.InitialStreamWindowSize, Http2Frames.DefaultWindow),
            InitialConnectionWindowSize = Limited(message.InitialConnectionWindowSize, defaults.InitialConnectionWindowSize, Http2Frames.DefaultWindow),
            AllowConnect = message.AllowConnect,
            MaxOutboundFrames = Limited(message.MaxOutboundFrames, defaults.MaxOutboundFrames, 1),
            MaxOutboundControlFrames = Limited(message.MaxOutboundControlFrames, defaults.MaxOutboundControlFrames, 1),
            MaxConsecutiveInboundFramesWithEmptyPayload = Limited(
                message.MaxConsecutiveInboundFramesWithEmptyPayload, defaults.MaxConsecutiveInboundFramesWithEmptyPayload, 0),
            MaxInboundPriorityFramesPerStream = Limited(message.MaxInboundPriorityFramesPerStream, defaults.MaxInboundPriorityFramesPerStream, 0),
            MaxInboundWindowUpdateFramesPerDataFrameSent = Limited(
                message.MaxInboundWindowUpdateFramesPerDataFrameSent, defaults.MaxInboundWindowUpdateFramesPerDataFrameSent, 1),
            StreamErrorOnInvalidHttpMessage = message.OverrideStreamErrorOnInvalidHttpMessage ?? message.StreamErrorOnInvalidHttpMessaging,
            KeepaliveInterval = ValueBinder.TimerOf(message.ConnectionKeepalive?.Interval),
            KeepaliveTimeout = ValueBinder.TimerOf(message.ConnectionKeepalive?.Timeout) ?? defaults.KeepaliveTimeout,
        };
    }

    private static int Limited(uint? value, int otherwise, int least) => value is { } set ? (int)Math.Clamp(set, (uint)least, int.MaxValue) : otherwise;
}
