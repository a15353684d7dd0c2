using Flags = Nuncio.DataPlane.Pipeline.ResponseFlags;
using Message = Envoy.Data.Accesslog.V3.ResponseFlags;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>Response flags as their message.</summary>
internal static class GrpcAccessLogFlags
{
    /// <summary>The message.</summary>
    public static Message Of(Flags flags) => new()
    {
        FailedLocalHealthcheck = flags.HasFlag(Flags.FailedLocalHealthCheck),
        NoHealthyUpstream = flags.HasFlag(Flags.NoHealthyUpstream),
        UpstreamRequestTimeout = flags.HasFlag(Flags.UpstreamRequestTimeout),
        LocalReset = flags.HasFlag(Flags.LocalReset),
        UpstreamRemoteReset = flags.HasFlag(Flags.UpstreamRemoteReset),
        UpstreamConnectionFailure = flags.HasFlag(Flags.UpstreamConnectionFailure),
        UpstreamConnectionTermination = flags.HasFlag(Flags.UpstreamConnectionTermination),
        UpstreamOverflow = flags.HasFlag(Flags.UpstreamOverflow),
        NoRouteFound = flags.HasFlag(Flags.NoRouteFound),
        DelayInjected = flags.HasFlag(Flags.DelayInjected),
        FaultInjected = flags.HasFlag(Flags.FaultInjected),
        RateLimited = flags.HasFlag(Flags.RateLimited),
        UnauthorizedDetails = flags.HasFlag(Flags.UnauthorizedExternalService)
            ? new Message.Types.Unauthorized { Reason = Message.Types.Unauthorized.Types.Reason.ExternalService } : null,
        RateLimitServiceError = flags.HasFlag(Flags.RateLimitServiceError),
        DownstreamConnectionTermination = flags.HasFlag(Flags.DownstreamConnectionTermination),
        UpstreamRetryLimitExceeded = flags.HasFlag(Flags.UpstreamRetryLimitExceeded),
        StreamIdleTimeout = flags.HasFlag(Flags.StreamIdleTimeout),
        InvalidEnvoyRequestHeaders = flags.HasFlag(Flags.InvalidEnvoyRequestHeaders),
        DownstreamProtocolError = flags.HasFlag(Flags.DownstreamProtocolError),
        UpstreamMaxStreamDurationReached = flags.HasFlag(Flags.UpstreamMaxStreamDurationReached),
        ResponseFromCacheFilter = flags.HasFlag(Flags.ResponseFromCacheFilter),
        NoFilterConfigFound = flags.HasFlag(Flags.NoFilterConfigFound),
        DurationTimeout = flags.HasFlag(Flags.DurationTimeout),
        UpstreamProtocolError = flags.HasFlag(Flags.UpstreamProtocolError),
        NoClusterFound = flags.HasFlag(Flags.NoClusterFound),
        OverloadManager = flags.HasFlag(Flags.OverloadManager),
        DnsResolutionFailure = flags.HasFlag(Flags.DnsResolutionFailed),
        DownstreamRemoteReset = flags.HasFlag(Flags.DownstreamRemoteReset),
    };
}
