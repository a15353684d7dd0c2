using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Resolving;
using Nuncio.Compiler.Validation;
using AccessLogMessage = Envoy.Config.Accesslog.V3.AccessLog;

namespace Nuncio.Compiler.Telemetry;

/// <summary>The LogService to a gRPC access log (SPEC 10.6).</summary>
internal static class LogServicePlanner
{
    /// <summary>Emissary's internal name of the one LogService, which it reports as <c>log_name</c>.</summary>
    private const string LogName = "logservice";

    private const long DefaultFlushSeconds = 1;
    private const long DefaultFlushBytes = 16384;

    /// <summary>The access log; null when there is none, or it cannot be used.</summary>
    public static AccessLogMessage? Plan(CompilerContext context)
    {
        var services = StoredNames.InOrder(context.Snapshot.LogServices).ToList();
        if (services.Count == 0) return null;
        var service = services[0];
        foreach (var other in services.Skip(1))
        {
            context.Findings.Error(
                other, FindingCodes.ServiceNotUnique, "", $"only one LogService is used: {service.Namespace}/{service.Name}; this one gets nothing");
        }
        var spec = service.Spec;
        var ok = true;
        if (spec.Service is not { Length: > 0 }) Wrong("spec.service", "is missing");
        if (spec.ProtocolVersion != "v3") Wrong("spec.protocol_version", "must be v3");
        if (spec.Driver is not ("http" or "tcp")) Wrong("spec.driver", "must be http or tcp");
        var headers = spec.AdditionalLogHeaders ?? [];
        if (headers.Count > 0 && spec.Driver == "tcp") Wrong("spec.driver_config.additional_log_headers", "are not supported with driver tcp");
        foreach (var header in headers)
        {
            if (header.HeaderName is null || !HeaderRules.IsMatchable(header.HeaderName))
                Wrong("spec.driver_config.additional_log_headers", "each needs a header name");
        }
        if (spec.FlushIntervalTime is < 1 or > ClusterRules.LongestMs / 1000) Wrong("spec.flush_interval_time", "must be above 0");
        if (spec.FlushIntervalByteSize is < 0 or > uint.MaxValue) Wrong("spec.flush_interval_byte_size", "must be between 0 and 4294967295");
        if (!ok) return null;
        if (spec.Grpc != true)
        {
            context.Findings.Notice(
                service, FindingCodes.LogServiceGrpc, "spec.grpc", "the log is sent by gRPC, so the service is spoken to in HTTP/2", "grpc: true");
        }
        var cluster = context.Clusters.Request(new UpstreamSpec
        {
            Owner = service,
            Namespace = service.Namespace,
            Service = spec.Service!,
            Marker = "logging",
            Qualify = false,
            Grpc = true,
            StatsName = spec.StatsName,
        });
        if (cluster is null) return null;

        var common = new CommonGrpcAccessLogConfig
        {
            LogName = LogName,
            TransportApiVersion = CoreV3.ApiVersion.V3,
            GrpcService = new CoreV3.GrpcService { EnvoyGrpc = new CoreV3.GrpcService.Types.EnvoyGrpc { ClusterName = cluster.Name } },
            BufferFlushInterval = new Duration { Seconds = spec.FlushIntervalTime ?? DefaultFlushSeconds },
            BufferSizeBytes = (uint)(spec.FlushIntervalByteSize ?? DefaultFlushBytes),
        };
        if (spec.Driver == "tcp")
        {
            return new AccessLogMessage
            {
                Name = "envoy.access_loggers.tcp_grpc",
                TypedConfig = RouteMessages.Pack(new TcpGrpcAccessLogConfig { CommonConfig = common }),
            };
        }
        var http = new HttpGrpcAccessLogConfig { CommonConfig = common };
        foreach (var header in headers)
        {
            if (header.DuringRequest != false) http.AdditionalRequestHeadersToLog.Add(header.HeaderName);
            if (header.DuringResponse != false) http.AdditionalResponseHeadersToLog.Add(header.HeaderName);
            if (header.DuringTrailer != false) http.AdditionalResponseTrailersToLog.Add(header.HeaderName);
        }
        return new AccessLogMessage { Name = "envoy.access_loggers.http_grpc", TypedConfig = RouteMessages.Pack(http) };

        void Wrong(string field, string message)
        {
            ok = false;
            context.Findings.Error(service, FindingCodes.LogServiceInvalid, field, $"{message}; nothing is sent to it");
        }
    }
}
