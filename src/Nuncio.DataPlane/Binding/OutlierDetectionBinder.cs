using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Binding;

/// <summary>Makes an <see cref="OutlierDetectionModel"/>.</summary>
public static class OutlierDetectionBinder
{
    /// <summary>Binds the message.</summary>
    public static OutlierDetectionModel Bind(ClusterV3.OutlierDetection message, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(errors);
        const string Path = "outlier_detection";
        SupportedFields.Check(
            message, Path, errors,
            "consecutive_5xx", "interval", "base_ejection_time", "max_ejection_percent", "enforcing_consecutive_5xx", "enforcing_success_rate",
            "success_rate_minimum_hosts", "success_rate_request_volume", "success_rate_stdev_factor", "consecutive_gateway_failure",
            "enforcing_consecutive_gateway_failure", "split_external_local_origin_errors", "consecutive_local_origin_failure",
            "enforcing_consecutive_local_origin_failure", "enforcing_local_origin_success_rate", "failure_percentage_threshold", "enforcing_failure_percentage",
            "enforcing_failure_percentage_local_origin", "failure_percentage_minimum_hosts", "failure_percentage_request_volume", "max_ejection_time",
            "max_ejection_time_jitter", "successful_active_health_check_uneject_host", "always_eject_one_host");
        var baseTime = ClusterBinder.Optional(message.BaseEjectionTime, Path + ".base_ejection_time", errors) ?? TimeSpan.FromSeconds(30);
        var maxTime = ClusterBinder.Optional(message.MaxEjectionTime, Path + ".max_ejection_time", errors) ?? TimeSpan.FromSeconds(300);
        return new OutlierDetectionModel
        {
            Consecutive5xx = message.Consecutive5Xx ?? 5,
            ConsecutiveGatewayFailure = message.ConsecutiveGatewayFailure ?? 5,
            ConsecutiveLocalOriginFailure = message.ConsecutiveLocalOriginFailure ?? 5,
            EnforcingConsecutive5xx = message.EnforcingConsecutive5Xx ?? 100,
            EnforcingConsecutiveGatewayFailure = message.EnforcingConsecutiveGatewayFailure ?? 0,
            EnforcingConsecutiveLocalOriginFailure = message.EnforcingConsecutiveLocalOriginFailure ?? 100,
            EnforcingSuccessRate = message.EnforcingSuccessRate ?? 100,
            EnforcingLocalOriginSuccessRate = message.EnforcingLocalOriginSuccessRate ?? 100,
            EnforcingFailurePercentage = message.EnforcingFailurePercentage ?? 0,
            EnforcingFailurePercentageLocalOrigin = message.EnforcingFailurePercentageLocalOrigin ?? 0,
            Interval = ClusterBinder.Optional(message.Interval, Path + ".interval", errors) ?? TimeSpan.FromSeconds(10),
            BaseEjectionTime = baseTime,
            MaxEjectionTime = maxTime < baseTime ? baseTime : maxTime,
            MaxEjectionTimeJitter = ClusterBinder.Optional(message.MaxEjectionTimeJitter, Path + ".max_ejection_time_jitter", errors) ?? TimeSpan.Zero,
            MaxEjectionPercent = Math.Min(100, message.MaxEjectionPercent ?? 10),
            AlwaysEjectOne = message.AlwaysEjectOneHost ?? false,
            SuccessRateMinimumHosts = message.SuccessRateMinimumHosts ?? 5,
            SuccessRateRequestVolume = message.SuccessRateRequestVolume ?? 100,
            SuccessRateStdevFactor = message.SuccessRateStdevFactor ?? 1900,
            FailurePercentageThreshold = message.FailurePercentageThreshold ?? 85,
            FailurePercentageMinimumHosts = message.FailurePercentageMinimumHosts ?? 5,
            FailurePercentageRequestVolume = message.FailurePercentageRequestVolume ?? 50,
            SplitExternalLocalOriginErrors = message.SplitExternalLocalOriginErrors,
            SuccessfulActiveCheckUnejects = message.SuccessfulActiveHealthCheckUnejectHost ?? true,
        };
    }
}
