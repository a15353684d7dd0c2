using System.Text;
using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds access logs that go to a log service over gRPC.</summary>
internal sealed class GrpcAccessLogBinder(PerConfiguration<GrpcAccessLogger> loggers, UpstreamCalls calls, MetricsRegistry metrics)
{
    /// <summary>Whether a configuration is of this kind.</summary>
    public static bool Knows(string type) => type == HttpGrpcAccessLogConfig.Descriptor.FullName || type == TcpGrpcAccessLogConfig.Descriptor.FullName;

    /// <summary>The log; null with errors.</summary>
    public AccessLogModel? Bind(Any config, AccessLogFilter? filter, string path, BindErrors errors)
    {
        if (Any.GetTypeName(config.TypeUrl) == TcpGrpcAccessLogConfig.Descriptor.FullName)
        {
            var tcp = TcpGrpcAccessLogConfig.Parser.ParseFrom(config.Value);
            return Model(tcp.CommonConfig, new GrpcAccessLogEntries(isTcp: true, [], [], []), filter, path, errors);
        }

        var http = HttpGrpcAccessLogConfig.Parser.ParseFrom(config.Value);
        var entries = new GrpcAccessLogEntries(
            isTcp: false, Names(http.AdditionalRequestHeadersToLog), Names(http.AdditionalResponseHeadersToLog), Names(http.AdditionalResponseTrailersToLog));
        return Model(http.CommonConfig, entries, filter, path, errors);
    }

    private GrpcAccessLogModel? Model(CommonGrpcAccessLogConfig? common, GrpcAccessLogEntries entries, AccessLogFilter? filter, string path, BindErrors errors)
    {
        var commonPath = BindErrors.Path(path, "common_config");
        var before = errors.Count;
        SupportedFields.Check(
            common, commonPath, errors, "log_name", "grpc_service", "transport_api_version", "buffer_flush_interval", "buffer_size_bytes");
        var service = GrpcServiceBinder.Bind(common?.GrpcService, BindErrors.Path(commonPath, "grpc_service"), errors);
        var interval = ValueBinder.Duration(common?.BufferFlushInterval, BindErrors.Path(commonPath, "buffer_flush_interval"), errors)
            ?? TimeSpan.FromSeconds(1);
        if (service is null || errors.Count > before)
        {
            return null;
        }

        var options = new GrpcAccessLoggerOptions
        {
            Service = service,
            LogName = common!.LogName,
            FlushInterval = interval > TimeSpan.Zero ? interval : TimeSpan.FromSeconds(1),
            BufferBytes = Math.Min(common.BufferSizeBytes ?? 16_384, 1024 * 1024),
        };
        var key = ByteString.CopyFrom([entries.IsTcp ? (byte)1 : (byte)0, .. common.ToByteArray()]);
        return new GrpcAccessLogModel(loggers.Get(key, () => new GrpcAccessLogger(options, calls, metrics)), entries) { Filter = filter };
    }

    private static byte[][] Names(IEnumerable<string> names) => [.. names.Select(name => Encoding.ASCII.GetBytes(name.ToLowerInvariant()))];
}
