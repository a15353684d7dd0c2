using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Tracing;

/// <summary>The spans of one request: its own, and one for each try at an upstream (Envoy's HttpTracerUtility).</summary>
internal sealed class RequestTrace
{
    private readonly TracingModel _model;
    private readonly TraceSpan _server;
    private TraceSpan? _client;
    private long _clientStarted;
    private int _tries;

    private RequestTrace(TracingModel model, TraceSpan server)
    {
        _model = model;
        _server = server;
    }

    /// <summary>Begins with a request's headers, before it is routed.</summary>
    public static RequestTrace Start(TracingModel model, HttpExchange exchange)
    {
        var traced = TraceReasons.Decide(exchange.RequestHeaders, model);
        var server = model.Driver.StartServer(exchange, traced);
        server.Name = Encoding.UTF8.GetString(exchange.RequestHeaders.Get(KnownHeader.Authority));
        return new RequestTrace(model, server);
    }

    /// <summary>The request is sent to an upstream: its headers say so.</summary>
    public void StartTry(HttpExchange exchange, string cluster)
    {
        EndTry(exchange);
        if (!_model.UpstreamSpans)
        {
            _model.Driver.Propagation.Inject(_server, exchange.RequestHeaders);
            return;
        }

        _tries++;
        _clientStarted = exchange.Clock.GetTimestamp();
        _client = TraceDriver.StartClient(_server, $"router {cluster} egress", exchange.Clock.GetUtcNow());
        if (_tries > 1)
        {
            Tag(_client, "retry.count", (_tries - 1).ToString(CultureInfo.InvariantCulture));
        }

        _model.Driver.Propagation.Inject(_client, exchange.RequestHeaders);
    }

    /// <summary>The request is over.</summary>
    public void End(HttpExchange exchange)
    {
        EndTry(exchange);
        var headers = exchange.RequestHeaders;
        if (exchange.Route?.Message.Decorator is { Operation.Length: > 0 } decorator)
        {
            _server.Name = decorator.Operation;
        }

        Tag(_server, "guid:x-request-id", Text(headers.Get(KnownHeader.XRequestId)));
        Tag(_server, "http.url", Url(headers));
        Tag(_server, "http.method", Text(headers.Get(KnownHeader.Method)));
        Tag(_server, "downstream_cluster", Text(headers.Get(KnownHeader.XEnvoyDownstreamServiceCluster)) is { Length: > 0 } cluster ? cluster : "-");
        Tag(_server, "user_agent", Text(headers.Get(KnownHeader.UserAgent)) is { Length: > 0 } agent ? agent : "-");
        Tag(_server, "http.protocol", Protocol(exchange.Downstream.Version));
        Tag(_server, "peer.address", Plain(exchange.Downstream.Connection.DirectRemoteAddress.Address));
        if (headers.TryGet(KnownHeader.XClientTraceId, out var client))
        {
            Tag(_server, "guid:x-client-trace-id", Text(client));
        }

        if (exchange.IsGrpc)
        {
            Tag(_server, "grpc.path", Text(headers.Get(KnownHeader.Path)));
            Tag(_server, "grpc.authority", Text(headers.Get(KnownHeader.Authority)));
            Tag(_server, "grpc.content_type", Text(headers.Get(KnownHeader.ContentType)));
        }

        Tag(_server, "request_size", exchange.Downstream.BytesReceived.ToString(CultureInfo.InvariantCulture));
        Tag(_server, "response_size", exchange.Downstream.BytesSent.ToString(CultureInfo.InvariantCulture));
        AddCommon(_server, exchange);
        _server.Duration = exchange.Clock.GetElapsedTime(exchange.StartTimestamp, exchange.EndTimestamp);
        _model.Driver.Report(_server);
    }

    private void EndTry(HttpExchange exchange)
    {
        if (_client is not { } span)
        {
            return;
        }

        _client = null;
        if (exchange.Upstream.Protocol is { } version)
        {
            Tag(span, "http.protocol", Protocol(version));
        }

        if (exchange.Upstream.Host is { } host)
        {
            Tag(span, "upstream_address", host.ToString());
            Tag(span, "peer.address", host.ToString());
        }

        AddCommon(span, exchange);
        span.Duration = exchange.Clock.GetElapsedTime(_clientStarted);
        _model.Driver.Report(span);
    }

    private void AddCommon(TraceSpan span, HttpExchange exchange)
    {
        Tag(span, "component", "proxy");
        if (exchange.Upstream.Cluster.Length > 0)
        {
            Tag(span, "upstream_cluster", exchange.ClusterName);
            Tag(span, "upstream_cluster.name", exchange.Upstream.Cluster);
        }

        Tag(span, "http.status_code", exchange.ResponseStatus.ToString(CultureInfo.InvariantCulture));
        AddGrpcStatus(span, exchange);
        Tag(span, "response_flags", ResponseFlagNames.Format(exchange.Flags));
        if (exchange.ResponseStatus is 0 or >= 500)
        {
            span.IsError = true;
            Tag(span, "error", "true");
        }

        for (var i = 0; i < _model.CustomTags.Count; i++)
        {
            _model.CustomTags[i].AddTo(span, exchange);
        }
    }

    private static void AddGrpcStatus(TraceSpan span, HttpExchange exchange)
    {
        if (!exchange.IsGrpc)
        {
            return;
        }

        ReadOnlySpan<byte> status = default;
        if (exchange.ResponseTrailers?.TryGet(KnownHeader.GrpcStatus, out status) == true
            || exchange.ResponseHeaders?.TryGet(KnownHeader.GrpcStatus, out status) == true)
        {
            Tag(span, "grpc.status_code", Text(status));
        }
    }

    private string Url(HeaderMap headers)
    {
        var path = headers.TryGet(KnownHeader.XEnvoyOriginalPath, out var original) ? original : headers.Get(KnownHeader.Path);
        if (path.Length > _model.MaxPathTagLength)
        {
            path = path[.._model.MaxPathTagLength];
        }

        return $"{Text(headers.Get(KnownHeader.Scheme))}://{Text(headers.Get(KnownHeader.Authority))}{Text(path)}";
    }

    private static string Protocol(HttpProtocolVersion version) => version switch
    {
        HttpProtocolVersion.Http10 => "HTTP/1.0",
        HttpProtocolVersion.Http11 => "HTTP/1.1",
        _ => "HTTP/2",
    };

    private static string Plain(System.Net.IPAddress address) => (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private static void Tag(TraceSpan span, string name, string value) => span.Tags.Add(new(name, value));
}
