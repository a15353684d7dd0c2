using Envoy.Config.Trace.V3;
using Google.Protobuf;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Resolving;
using Nuncio.Compiler.Validation;
using Nuncio.Resources.Getambassador;
using HttpTracing = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.Tracing;
using TracingTag = Envoy.Type.Tracing.V3.CustomTag;

namespace Nuncio.Compiler.Telemetry;

/// <summary>The TracingService to the tracing settings of HTTP listeners (SPEC 10.7).</summary>
internal static class TracingPlanner
{
    private const string DefaultServiceName = "ambassador";

    /// <summary>The settings; null when nothing is traced.</summary>
    /// <param name="context">The compilation.</param>
    /// <param name="isDatadog">Whether spans go to Datadog.</param>
    public static HttpTracing? Plan(CompilerContext context, out bool isDatadog)
    {
        isDatadog = false;
        var services = context.Snapshot.TracingServices;
        if (services.Length > 1)
        {
            foreach (var each in services)
            {
                context.Findings.Error(each, FindingCodes.ServiceNotUnique, "", "only one TracingService is supported; none is used");
            }
            return null;
        }
        if (services.Length == 0) return null;
        var service = services[0];
        if (Provider(context, service) is not { } provider) return null;
        ReportUnused(context, service);
        isDatadog = service.Spec.Driver == "datadog";
        var tracing = new HttpTracing { Provider = provider };
        foreach (var tag in service.Spec.CustomTags ?? [])
        {
            if ((tag.Literal is null ? 0 : 1) + (tag.Environment is null ? 0 : 1) + (tag.RequestHeader is null ? 0 : 1) > 1)
            {
                context.Findings.Warning(
                    service, FindingCodes.FieldWithoutEffect, "spec.custom_tags",
                    $"tag '{tag.Tag}' has several sources; the first of literal, environment and request_header counts");
            }
            if (Tag(tag) is { } message) tracing.CustomTags.Add(message);
            else context.Findings.Error(
                service, FindingCodes.TracingServiceInvalid, "spec.custom_tags", $"tag '{tag.Tag}' has no usable source and is left out");
        }
        if (service.Spec.TagHeaders is { Count: > 0 })
        {
            context.Findings.Warning(service, FindingCodes.FieldWithoutEffect, "spec.tag_headers", "has no effect in v3alpha1", "custom_tags");
        }
        if (service.Spec.Sampling is { } sampling)
        {
            tracing.ClientSampling = Percent("client", sampling.Client);
            tracing.RandomSampling = Percent("random", sampling.Random);
            tracing.OverallSampling = Percent("overall", sampling.Overall);
        }
        return tracing;

        TypeV3.Percent? Percent(string key, long? value)
        {
            if (value is null) return null;
            if (value is >= 0 and <= 100) return new TypeV3.Percent { Value = value.Value };
            context.Findings.Error(service, FindingCodes.InvalidFieldValue, $"spec.sampling.{key}", "must be between 0 and 100; the default of 100 is used");
            return null;
        }
    }

    /// <summary>What was of a driver that is no longer there, or belongs to another one.</summary>
    private static void ReportUnused(CompilerContext context, TracingServiceResource service)
    {
        if (service.Spec.Config is not { } config) return;
        var isZipkin = service.Spec.Driver == "zipkin";
        Unused("access_token_file", config.AccessTokenFile, false);
        Unused("collector_cluster", config.CollectorCluster, false);
        Unused("propagation_modes", config.PropagationModes, false);
        Unused("collector_endpoint", config.CollectorEndpoint, isZipkin);
        Unused("collector_endpoint_version", config.CollectorEndpointVersion, isZipkin);
        Unused("collector_hostname", config.CollectorHostname, isZipkin);
        Unused("shared_span_context", config.SharedSpanContext, isZipkin);
        Unused("trace_id_128bit", config.TraceId128Bit, isZipkin);
        Unused("service_name", config.ServiceName, !isZipkin);

        void Unused(string field, object? value, bool used)
        {
            if (value is null || used) return;
            context.Findings.Notice(service, FindingCodes.FieldWithoutEffect, $"spec.config.{field}", $"has no effect with the driver {service.Spec.Driver}");
        }
    }

    private static Tracing.Types.Http? Provider(CompilerContext context, TracingServiceResource service)
    {
        var config = service.Spec.Config ?? new TracingConfig();
        switch (service.Spec.Driver)
        {
            case "zipkin":
                if (EnumNames(config.CollectorEndpointVersion) is not { } version)
                {
                    return Wrong("spec.config.collector_endpoint_version", "must be HTTP_JSON or HTTP_PROTO");
                }
                if (Cluster(context, service, grpc: false) is not { } zipkin) return null;
                var zipkinConfig = new ZipkinConfig
                {
                    CollectorCluster = zipkin.Name,
                    CollectorEndpoint = config.CollectorEndpoint is { Length: > 0 } endpoint ? endpoint : "/api/v2/spans",
                    CollectorEndpointVersion = version,
                    TraceId128Bit = config.TraceId128Bit ?? true,
                    SharedSpanContext = config.SharedSpanContext,
                };
                if (config.CollectorHostname is { Length: > 0 } hostname) zipkinConfig.CollectorHostname = hostname;
                return Http("envoy.tracers.zipkin", zipkinConfig);
            case "datadog":
                return Cluster(context, service, grpc: false) is { } datadog
                    ? Http("envoy.tracers.datadog", new DatadogConfig { CollectorCluster = datadog.Name, ServiceName = ServiceName(config) })
                    : null;
            case "opentelemetry":
                return Cluster(context, service, grpc: true) is { } collector
                    ? Http("envoy.tracers.opentelemetry", new OpenTelemetryConfig
                    {
                        GrpcService = new CoreV3.GrpcService { EnvoyGrpc = new CoreV3.GrpcService.Types.EnvoyGrpc { ClusterName = collector.Name } },
                        ServiceName = ServiceName(config),
                    })
                    : null;
            default:
                return Wrong("spec.driver", $"'{service.Spec.Driver}' is none of zipkin, datadog and opentelemetry");
        }

        Tracing.Types.Http? Wrong(string field, string message)
        {
            context.Findings.Error(service, FindingCodes.TracingServiceInvalid, field, $"{message}; nothing is traced");
            return null;
        }
    }

    private static ZipkinConfig.Types.CollectorEndpointVersion? EnumNames(string? name) => name switch
    {
        null or "" or "HTTP_JSON" => ZipkinConfig.Types.CollectorEndpointVersion.HttpJson,
        "HTTP_PROTO" => ZipkinConfig.Types.CollectorEndpointVersion.HttpProto,
        _ => null,
    };

    private static string ServiceName(TracingConfig config) => config.ServiceName is { Length: > 0 } name ? name : DefaultServiceName;

    private static Tracing.Types.Http Http(string name, IMessage config) => new() { Name = name, TypedConfig = RouteMessages.Pack(config) };

    private static ClusterPlan? Cluster(CompilerContext context, TracingServiceResource service, bool grpc) => context.Clusters.Request(new UpstreamSpec
    {
        Owner = service,
        Namespace = service.Namespace,
        Service = service.Spec.Service,
        Marker = "tracing",
        Qualify = false,
        Grpc = grpc,
        StatsName = service.Spec.StatsName,
    });

    private static TracingTag? Tag(CustomTag tag)
    {
        if (tag.Tag.Length == 0) return null;
        if (tag.Literal is { } literal)
            return literal.Length == 0 ? null : new TracingTag { Tag = tag.Tag, Literal = new TracingTag.Types.Literal { Value = literal } };
        if (tag.Environment is { Name.Length: > 0 } variable)
        {
            return new TracingTag
            {
                Tag = tag.Tag,
                Environment = new TracingTag.Types.Environment { Name = variable.Name, DefaultValue = variable.DefaultValue ?? "" },
            };
        }
        return tag.RequestHeader is { } header && HeaderRules.IsMatchable(header.Name)
            ? new TracingTag { Tag = tag.Tag, RequestHeader = new TracingTag.Types.Header { Name = header.Name, DefaultValue = header.DefaultValue ?? "" } }
            : null;
    }
}
