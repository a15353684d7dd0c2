using System.Text;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Binding;

/// <summary>Makes <see cref="HealthCheckModel"/>s of a cluster's health_checks.</summary>
public static class HealthCheckBinder
{
    /// <summary>Binds the messages; those with errors are left out.</summary>
    public static IReadOnlyList<HealthCheckModel> Bind(IReadOnlyList<CoreV3.HealthCheck> messages, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(errors);
        var models = new List<HealthCheckModel>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            if (Bind(messages[i], BindErrors.Path("", "health_checks", i), errors) is { } model)
            {
                models.Add(model);
            }
        }

        return models;
    }

    private static HealthCheckModel? Bind(CoreV3.HealthCheck message, string path, BindErrors errors)
    {
        SupportedFields.Check(
            message, path, errors,
            "timeout", "interval", "initial_jitter", "interval_jitter", "interval_jitter_percent", "unhealthy_threshold", "healthy_threshold", "alt_port",
            "reuse_connection", "http_health_check", "tcp_health_check", "grpc_health_check", "no_traffic_interval", "no_traffic_healthy_interval",
            "unhealthy_interval", "unhealthy_edge_interval", "healthy_edge_interval", "always_log_health_check_failures", "always_log_health_check_success");
        HealthProbeModel? probe = message.HealthCheckerCase switch
        {
            CoreV3.HealthCheck.HealthCheckerOneofCase.HttpHealthCheck => Http(message.HttpHealthCheck, path + ".http_health_check", errors),
            CoreV3.HealthCheck.HealthCheckerOneofCase.GrpcHealthCheck => Grpc(message.GrpcHealthCheck, path + ".grpc_health_check", errors),
            CoreV3.HealthCheck.HealthCheckerOneofCase.TcpHealthCheck => Tcp(message.TcpHealthCheck, path + ".tcp_health_check", errors),
            _ => null,
        };
        if (probe == null)
        {
            errors.Add(path, "One of http_health_check, grpc_health_check and tcp_health_check is required.");
            return null;
        }

        if (message.UnhealthyThreshold == null || message.HealthyThreshold == null)
        {
            errors.Add(path, "unhealthy_threshold and healthy_threshold are required.");
        }

        var interval = ClusterBinder.Duration(message.Interval, path + ".interval", errors, positive: true);
        var noTraffic = ClusterBinder.Optional(message.NoTrafficInterval, path + ".no_traffic_interval", errors) ?? TimeSpan.FromSeconds(60);
        return new HealthCheckModel
        {
            Timeout = ClusterBinder.Duration(message.Timeout, path + ".timeout", errors, positive: true),
            Interval = interval,
            InitialJitter = ClusterBinder.Optional(message.InitialJitter, path + ".initial_jitter", errors) ?? TimeSpan.Zero,
            IntervalJitter = ClusterBinder.Optional(message.IntervalJitter, path + ".interval_jitter", errors) ?? TimeSpan.Zero,
            IntervalJitterPercent = message.IntervalJitterPercent,
            NoTrafficInterval = noTraffic,
            NoTrafficHealthyInterval = ClusterBinder.Optional(message.NoTrafficHealthyInterval, path + ".no_traffic_healthy_interval", errors),
            UnhealthyInterval = ClusterBinder.Optional(message.UnhealthyInterval, path + ".unhealthy_interval", errors),
            UnhealthyEdgeInterval = ClusterBinder.Optional(message.UnhealthyEdgeInterval, path + ".unhealthy_edge_interval", errors),
            HealthyEdgeInterval = ClusterBinder.Optional(message.HealthyEdgeInterval, path + ".healthy_edge_interval", errors),
            UnhealthyThreshold = message.UnhealthyThreshold ?? 1,
            HealthyThreshold = message.HealthyThreshold ?? 1,
            AlternatePort = (ushort)(message.AltPort ?? 0),
            ReuseConnection = message.ReuseConnection ?? true,
            Probe = probe,
        };
    }

    private static HttpHealthProbeModel Http(CoreV3.HealthCheck.Types.HttpHealthCheck message, string path, BindErrors errors)
    {
        SupportedFields.Check(
            message, path, errors,
            "host", "path", "request_headers_to_add", "request_headers_to_remove", "expected_statuses", "retriable_statuses", "codec_client_type", "method");
        // As in Envoy any text is a path; one without a slash in front is for the upstream to refuse.
        if (message.Path.Length == 0 || message.Path.AsSpan().IndexOfAny('\0', '\r', '\n') >= 0)
        {
            errors.Add(path + ".path", "The path is needed, without line breaks.");
        }

        var added = new List<(string, string, bool)>();
        for (var i = 0; i < message.RequestHeadersToAdd.Count; i++)
        {
            var option = message.RequestHeadersToAdd[i];
            if (option.Header == null || option.Header.Key.Length == 0)
            {
                errors.Add(BindErrors.Path(path, "request_headers_to_add", i), "A header needs a name.");
                continue;
            }

            var valuePath = BindErrors.Path(path, "request_headers_to_add", i) + ".header.value";
            if (SubstitutionFormat.TryParse(option.Header.Value, omitEmpty: true, out var error) is not { } format)
            {
                errors.Add(valuePath, error);
                continue;
            }

            // There is no request of a client that an operator could tell of.
            if (format.Constant is not { } value)
            {
                errors.AddPartial(valuePath, "A health check's header has no value where it has operators.");
                continue;
            }

            var replace = option.Append is { } append
                ? !append
                : option.AppendAction == CoreV3.HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd;
            added.Add((option.Header.Key.ToLowerInvariant(), Encoding.UTF8.GetString(value), replace));
        }

        return new HttpHealthProbeModel
        {
            Host = message.Host,
            Path = message.Path,
            Method = message.Method == CoreV3.RequestMethod.MethodUnspecified ? "GET" : message.Method.ToString().ToUpperInvariant(),
            UseHttp2 = message.CodecClientType == Envoy.Type.V3.CodecClientType.Http2,
            AddHeaders = added,
            RemoveHeaders = [.. message.RequestHeadersToRemove.Select(h => h.ToLowerInvariant())],
            ExpectedStatuses = message.ExpectedStatuses.Count == 0 ? [(200, 201)] : [.. message.ExpectedStatuses.Select(r => (r.Start, r.End))],
            RetriableStatuses = [.. message.RetriableStatuses.Select(r => (r.Start, r.End))],
        };
    }

    private static GrpcHealthProbeModel Grpc(CoreV3.HealthCheck.Types.GrpcHealthCheck message, string path, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "service_name", "authority");
        return new GrpcHealthProbeModel { ServiceName = message.ServiceName, Authority = message.Authority };
    }

    private static TcpHealthProbeModel Tcp(CoreV3.HealthCheck.Types.TcpHealthCheck message, string path, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "send", "receive");
        return new TcpHealthProbeModel
        {
            Send = Payload(message.Send, path + ".send", errors),
            Receive = [.. message.Receive.Select((payload, i) => Payload(payload, BindErrors.Path(path, "receive", i), errors))],
        };
    }

    private static byte[] Payload(CoreV3.HealthCheck.Types.Payload? payload, string path, BindErrors errors)
    {
        if (payload == null)
        {
            return [];
        }

        if (payload.PayloadCase == CoreV3.HealthCheck.Types.Payload.PayloadOneofCase.Binary)
        {
            return payload.Binary.ToByteArray();
        }

        try
        {
            return Convert.FromHexString(payload.Text);
        }
        catch (FormatException)
        {
            errors.Add(path + ".text", "The payload is text in hexadecimal digits.");
            return Encoding.ASCII.GetBytes(payload.Text);
        }
    }
}
