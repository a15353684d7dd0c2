using System.Text;
using Envoy.Config.Trace.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tracing;
using HttpTracing = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.Tracing;
using Provider = Envoy.Config.Trace.V3.Tracing.Types.Http;
using TagMessage = Envoy.Type.Tracing.V3.CustomTag;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the tracing of a connection manager. What cannot be traced is reported; requests go on, since tracing lets nothing through.</summary>
internal sealed class TracingBinder(PerConfiguration<TraceDriver> drivers, UpstreamCalls calls, MetricsRegistry metrics)
{
    /// <summary>The model; null where nothing is traced.</summary>
    /// <param name="message">The settings; null for none.</param>
    /// <param name="childSpans">The router asks for spans of its own (start_child_span).</param>
    /// <param name="path">Where they are.</param>
    /// <param name="errors">Where errors go.</param>
    public TracingModel? Bind(HttpTracing? message, bool childSpans, string path, BindErrors errors)
    {
        if (message?.Provider is not { } provider)
        {
            return null;
        }

        SupportedFields.Check(
            message, path, errors, "client_sampling", "random_sampling", "overall_sampling", "verbose", "max_path_tag_length", "custom_tags", "provider",
            "spawn_upstream_span");
        if (Driver(provider, BindErrors.Path(path, "provider.typed_config"), errors) is not { } driver)
        {
            return null;
        }

        return new TracingModel
        {
            Driver = driver,
            ClientSampling = Part(message.ClientSampling),
            RandomSampling = Part(message.RandomSampling),
            OverallSampling = Part(message.OverallSampling),
            MaxPathTagLength = (int)Math.Min(message.MaxPathTagLength ?? 256, 64 * 1024),
            UpstreamSpans = message.SpawnUpstreamSpan ?? childSpans,
            CustomTags = Tags(message.CustomTags, path, errors),
        };
    }

    private static int Part(Envoy.Type.V3.Percent? percent) =>
        percent is null ? TracingModel.SamplingBase : (int)Math.Clamp(percent.Value * 100, 0, TracingModel.SamplingBase);

    private static List<TraceTag> Tags(IReadOnlyList<TagMessage> messages, string path, BindErrors errors)
    {
        var tags = new List<TraceTag>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            switch (message.TypeCase)
            {
                case TagMessage.TypeOneofCase.Literal:
                    tags.Add(new TraceTag(message.Tag, message.Literal.Value, null));
                    break;
                case TagMessage.TypeOneofCase.Environment:
                    tags.Add(new TraceTag(message.Tag, Environment.GetEnvironmentVariable(message.Environment.Name) ?? message.Environment.DefaultValue, null));
                    break;
                case TagMessage.TypeOneofCase.RequestHeader:
                    tags.Add(new TraceTag(message.Tag, message.RequestHeader.DefaultValue, ValueBinder.HeaderName(message.RequestHeader.Name)));
                    break;
                default:
                    errors.AddPartial(BindErrors.Path(path, "custom_tags", i), "This kind of tag is not supported by the embedded proxy; it is left out.");
                    break;
            }
        }

        return tags;
    }

    private TraceDriver? Driver(Provider provider, string path, BindErrors errors)
    {
        var config = provider.TypedConfig ?? new Any();
        var type = Any.GetTypeName(config.TypeUrl);
        try
        {
            if (type == ZipkinConfig.Descriptor.FullName)
            {
                return Zipkin(config, path, errors);
            }

            if (type == DatadogConfig.Descriptor.FullName)
            {
                return Datadog(config, path, errors);
            }

            if (type == OpenTelemetryConfig.Descriptor.FullName)
            {
                return OpenTelemetry(config, path, errors);
            }
        }
        catch (Exception e) when (AnyReading.IsUnreadable(e))
        {
            errors.Add(path, $"The message cannot be read: {e.Message}");
            return null;
        }

        errors.AddPartial(path, $"The tracer {provider.Name} ({type}) is not supported by the embedded proxy: nothing is traced.");
        return null;
    }

    private TraceDriver? Zipkin(Any config, string path, BindErrors errors)
    {
        var message = ZipkinConfig.Parser.ParseFrom(config.Value);
        var before = errors.Count;
        SupportedFields.Check(
            message, path, errors, "collector_cluster", "collector_endpoint", "trace_id_128bit", "shared_span_context", "collector_endpoint_version",
            "collector_hostname");
        if (message.CollectorEndpointVersion is ZipkinConfig.Types.CollectorEndpointVersion.Grpc)
        {
            errors.Add(BindErrors.Path(path, "collector_endpoint_version"), "The embedded proxy reports to Zipkin over HTTP only.");
        }

        if (errors.Count > before)
        {
            return null;
        }

        var format = new ZipkinFormat
        {
            Cluster = message.CollectorCluster,
            Path = Encoding.ASCII.GetBytes(message.CollectorEndpoint),
            Host = Encoding.ASCII.GetBytes(message.CollectorHostname.Length > 0 ? message.CollectorHostname : message.CollectorCluster),
            ServiceName = NodeCluster,
            IsProto = message.CollectorEndpointVersion == ZipkinConfig.Types.CollectorEndpointVersion.HttpProto,
        };
        return Get(
            config, new B3Propagation(), format, new TraceDriverOptions(message.TraceId128Bit, message.SharedSpanContext ?? true, SpanIdIsTraceId: true));
    }

    private TraceDriver? Datadog(Any config, string path, BindErrors errors)
    {
        var message = DatadogConfig.Parser.ParseFrom(config.Value);
        var before = errors.Count;
        SupportedFields.Check(message, path, errors, "collector_cluster", "service_name", "collector_hostname");
        if (errors.Count > before)
        {
            return null;
        }

        var format = new DatadogFormat
        {
            Cluster = message.CollectorCluster,
            Host = Encoding.ASCII.GetBytes(message.CollectorHostname.Length > 0 ? message.CollectorHostname : message.CollectorCluster),
            ServiceName = message.ServiceName,
            FlushCount = 200,
            FlushInterval = TimeSpan.FromSeconds(2),
        };
        return Get(config, new DatadogPropagation(), format, new TraceDriverOptions(
            LongTraceIds: true, SharedSpans: false, SpanIdIsTraceId: true, ReportsUnsampled: true));
    }

    private TraceDriver? OpenTelemetry(Any config, string path, BindErrors errors)
    {
        var message = OpenTelemetryConfig.Parser.ParseFrom(config.Value);
        var before = errors.Count;
        SupportedFields.Check(message, path, errors, "grpc_service", "http_service", "service_name");
        var service = message.GrpcService is null ? null : GrpcServiceBinder.Bind(message.GrpcService, BindErrors.Path(path, "grpc_service"), errors);
        var http = message.HttpService?.HttpUri;
        if (service is null && http is null)
        {
            errors.Add(path, "A collector is needed.");
        }

        Uri? uri = null;
        if (http is not null && !Uri.TryCreate(http.Uri, UriKind.Absolute, out uri))
        {
            errors.Add(BindErrors.Path(path, "http_service.http_uri.uri"), "This is no address.");
        }

        if (errors.Count > before)
        {
            return null;
        }

        var format = new OtlpFormat
        {
            Cluster = service?.Cluster ?? http!.Cluster,
            Grpc = service,
            Path = uri is null ? [] : Encoding.ASCII.GetBytes(uri.PathAndQuery),
            Host = uri is null ? [] : Encoding.ASCII.GetBytes(uri.Authority),
            Headers =
            [
                .. (message.HttpService?.RequestHeadersToAdd ?? []).Select(
                    option => (Encoding.ASCII.GetBytes(option.Header.Key.ToLowerInvariant()), Encoding.UTF8.GetBytes(option.Header.Value))),
            ],
            ServiceName = message.ServiceName.Length > 0 ? message.ServiceName : "unknown_service:envoy",
            Timeout = ValueBinder.Duration(message.GrpcService?.Timeout ?? http?.Timeout, path, errors) is { } timeout && timeout > TimeSpan.Zero
                ? timeout : TimeSpan.FromSeconds(5),
        };
        return Get(config, new W3CPropagation(), format, new TraceDriverOptions(LongTraceIds: true, SharedSpans: false, SpanIdIsTraceId: false));
    }

    /// <summary>What Emissary calls its Envoy: Zipkin's service name.</summary>
    private const string NodeCluster = "ambassador-default";

    private TraceDriver Get(Any config, TracePropagation propagation, TraceReportFormat format, TraceDriverOptions options) =>
        drivers.Get(config.ToByteString(), () => new TraceDriver(propagation, new TraceReporter(format, calls, metrics), options));
}
