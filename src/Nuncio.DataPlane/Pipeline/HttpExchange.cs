using System.Net;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// One request on its way through the filters: what they read and change. Pooled with its stream; a filter must not keep it.
/// </summary>
public abstract class HttpExchange : IBodySource, IBodySink
{
    /// <summary>It is a connection in the place of a request, which logs of connections show.</summary>
    public virtual bool IsConnection => false;

    /// <summary>The client's side.</summary>
    public abstract HttpServerStream Downstream { get; }

    /// <summary>The request's headers, as far as the filters before changed them.</summary>
    public HeaderMap RequestHeaders => Downstream.RequestHeaders;

    /// <summary>Flags gathered so far.</summary>
    public ResponseFlags Flags { get; set; }

    /// <summary>%RESPONSE_CODE_DETAILS%: Envoy's word for why there is this response, such as <c>via_upstream</c> or <c>route_not_found</c>.</summary>
    public string ResponseCodeDetails { get; set; } = "";

    /// <summary>The connection manager that the request came by.</summary>
    public abstract HttpConnectionManagerModel ConnectionManager { get; }

    /// <summary>Whose memory bodies are kept in.</summary>
    internal virtual Overload.OverloadState Overload => DataPlane.Overload.OverloadState.None;

    /// <summary>Asks for memory to keep a part of a body until <see cref="Release"/>, or until the exchange is over; false where there is none.</summary>
    internal virtual bool TryKeep(long bytes) => true;

    /// <summary>Gives back some of what <see cref="TryKeep"/> has given.</summary>
    internal virtual void Release(long bytes)
    {
    }

    /// <summary>It has something of <see cref="TryKeep"/>.</summary>
    internal virtual bool KeepsBody => false;

    /// <summary>The request has been sent: what filters have kept of its body goes.</summary>
    internal virtual void DropBody()
    {
    }

    /// <summary>Where its connection manager counts; null for nowhere.</summary>
    internal virtual Telemetry.HttpConnectionManagerMetrics? Statistics => null;

    /// <summary>The routes as they were when the request came: one request sees one configuration.</summary>
    public RouteConfigurationModel? RouteConfiguration { get; protected set; }

    /// <summary>The virtual host; null where none matches.</summary>
    public VirtualHostModel? VirtualHost { get; protected set; }

    /// <summary>Where the request is counted besides its cluster; null where its virtual host has no virtual clusters.</summary>
    public VirtualClusterModel? VirtualCluster { get; protected set; }

    /// <summary>The route; null where none matches.</summary>
    public RouteModel? Route { get; protected set; }

    /// <summary>The route's action where it forwards; the router is only asked then.</summary>
    public ForwardModel? Forward { get; protected set; }

    /// <summary>Which of the route's weighted clusters was chosen; null without them.</summary>
    public WeightedClusterModel? WeightedCluster { get; protected set; }

    /// <summary>The cluster to forward to, however the route says it; empty where a header should have said it and did not.</summary>
    public string ClusterName { get; protected set; } = "";

    /// <summary>
    /// A cluster by its name, as it was when the request began: one that left the configuration since is still there for it. A name of the configuration
    /// after that is found in <paramref name="now"/>.
    /// </summary>
    public ClusterState? FindCluster(string name, ClusterTable now)
    {
        ArgumentNullException.ThrowIfNull(now);
        return Downstream.Clusters?.Find(name) ?? now.Find(name);
    }

    /// <summary>The retry policy of the route or else of its virtual host.</summary>
    public RetryPolicyModel? RetryPolicy => Forward?.RetryPolicy ?? VirtualHost?.RetryPolicy;

    /// <summary>The hedge policy of the route or else of its virtual host.</summary>
    public HedgePolicyModel? HedgePolicy => Forward?.HedgePolicy ?? VirtualHost?.HedgePolicy;

    /// <summary>The mirrors of the route, or else of its virtual host, or else of the route configuration.</summary>
    public IReadOnlyList<MirrorPolicyModel> MirrorPolicies =>
        Forward?.MirrorPolicies ?? (VirtualHost is { MirrorPolicies.Count: > 0 } host ? host.MirrorPolicies : RouteConfiguration?.MirrorPolicies ?? []);

    /// <summary>One random value per request: for fractions and weights of its route.</summary>
    public ulong Random { get; protected set; }

    /// <summary>The client, as x-forwarded-for and the trusted hops say. %DOWNSTREAM_REMOTE_ADDRESS%.</summary>
    public IPEndPoint RemoteAddress { get; protected set; } = new(IPAddress.None, 0);

    /// <summary>When the request's headers were complete, as a timestamp of the clock.</summary>
    public long StartTimestamp { get; protected set; }

    /// <summary>The same as a time of day.</summary>
    public DateTimeOffset StartTime { get; protected set; }

    /// <summary>What became of it at the upstream.</summary>
    public UpstreamRecord Upstream { get; } = new();

    /// <summary>The clock of all timestamps.</summary>
    public TimeProvider Clock { get; protected set; } = TimeProvider.System;

    /// <summary>When it ended, as a timestamp of the clock; 0 while it runs.</summary>
    public long EndTimestamp { get; protected set; }

    /// <summary>When the request's last byte was read; 0 before.</summary>
    public long RequestEndTimestamp { get; set; }

    /// <summary>When the response's first byte was written; 0 before.</summary>
    public long ResponseStartTimestamp { get; set; }

    /// <summary>Milliseconds since its start, until its end where it has ended. %DURATION%.</summary>
    public long ElapsedMilliseconds =>
        (long)Clock.GetElapsedTime(StartTimestamp, EndTimestamp == 0 ? Clock.GetTimestamp() : EndTimestamp).TotalMilliseconds;

    /// <summary>The final response's headers once they are known, 1xx apart; else null.</summary>
    public HeaderMap? ResponseHeaders { get; protected set; }

    /// <summary>The response's trailers once they are known; else null.</summary>
    public HeaderMap? ResponseTrailers { get; protected set; }

    /// <summary>The status of the final response; 0 before.</summary>
    public int ResponseStatus { get; protected set; }

    /// <summary>The text of a local reply. %LOCAL_REPLY_BODY%.</summary>
    public ReadOnlyMemory<byte> LocalReplyBody { get; protected set; }

    /// <summary>%CONNECTION_TERMINATION_DETAILS%; empty for none.</summary>
    public string ConnectionTerminationDetails { get; set; } = "";

    /// <summary>The request asks for an upgrade (or is CONNECT) and its route allows it: after 101 (or 2xx) the bodies are the tunnel.</summary>
    public bool IsUpgrade { get; protected set; }

    /// <summary>The request is gRPC, by its content-type.</summary>
    public bool IsGrpc { get; internal set; }

    /// <summary>Somebody asks how this proxy is: not counted among the responses.</summary>
    public bool IsHealthCheck { get; internal set; }

    /// <summary>
    /// A gRPC-Web call that a filter made a gRPC call of: the upstream sees gRPC, but what the proxy answers by itself is plain HTTP (as in Envoy).
    /// </summary>
    public bool IsGrpcWeb { get; internal set; }

    /// <summary>
    /// The configuration of a filter for this request's route: the weighted cluster's, or else the route's, the virtual host's, the route configuration's;
    /// null for none.
    /// </summary>
    public object? FindFilterConfig(string filterName) =>
        WeightedCluster?.FilterConfigs.Find(filterName) ?? Route?.FilterConfigs.Find(filterName)
        ?? VirtualHost?.FilterConfigs.Find(filterName) ?? RouteConfiguration?.FilterConfigs.Find(filterName);

    /// <summary>
    /// Makes the request's headers what the upstream shall see: header changes of the route and above, the rewritten host and path. The router calls
    /// it once, when it has chosen the cluster and read its own x-envoy headers; auto_host_rewrite is the router's.
    /// </summary>
    public abstract void FinalizeRequestHeaders();

    /// <summary>
    /// Holds the response back, from within <see cref="HttpFilter.OnResponseHeaders"/>. Of several holds, each gets what the one before let go.
    /// </summary>
    internal abstract void HoldResponse(IHeldResponse held);

    /// <summary>There was such a hold: what the filter waited for may have been told of the client's leaving instead of who waited before.</summary>
    internal abstract bool IsResponseHeld { get; }

    /// <summary>What filters told of it; null while none has.</summary>
    public DynamicMetadata? Metadata { get; protected set; }

    /// <summary>The same, for a filter that has something to tell.</summary>
    public DynamicMetadata WritableMetadata => Metadata ??= new DynamicMetadata();

    /// <summary>Texts that scripts left for each other by name (Envoy's filter state); null while there are none.</summary>
    internal Dictionary<string, string>? FilterObjects { get; private protected set; }

    /// <summary>The same, for a script that leaves one.</summary>
    internal Dictionary<string, string> WritableFilterObjects => FilterObjects ??= new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The endpoint that a script wants in place of what the load balancer would choose; null for none.</summary>
    internal WantedEndpoint? WantedEndpoint { get; set; }

    /// <summary>Its spans; null where it is not traced.</summary>
    internal Tracing.RequestTrace? Trace { get; set; }

    /// <summary>The router's own; unlike <see cref="FilterState"/> it stays from one request to the next.</summary>
    internal object? RouterState { get; set; }

    /// <summary>
    /// Makes an upstream's response headers what the client shall see: header changes of the route and above. The router calls it once on the final
    /// response, before <see cref="WriteResponseHeadersAsync"/>; on local replies it has been done.
    /// </summary>
    public abstract void FinalizeResponseHeaders(HeaderMap headers);

    /// <summary>Answers without an upstream, with the reply to a known cause.</summary>
    public ValueTask<FilterOutcome> RespondAsync(LocalReply reply, HeaderMap? extraHeaders = null)
    {
        Flags |= reply.Flags;
        return RespondAsync(reply.Status, reply.Body, reply.Details, extraHeaders);
    }

    /// <summary>Per request and filter: slot <see cref="HttpFilter.Index"/>; null at the start.</summary>
    public abstract object?[] FilterState { get; }

    /// <summary>The request body the router will read; a filter may put its own source (a buffer, a transformation) in front.</summary>
    public abstract IBodySource RequestBody { get; set; }

    /// <summary>The request has no body (and nobody put one in front).</summary>
    public abstract bool RequestHasNoBody { get; set; }

    /// <summary>Where response body bytes go; a filter may wrap it in <see cref="HttpFilter.OnResponseHeaders"/>.</summary>
    public abstract IBodySink ResponseBody { get; set; }

    /// <summary>Chooses the route again from the headers as they are now.</summary>
    public abstract void ClearRouteCache();

    /// <summary>Passes a response head through the response hooks and the connection manager's own header work, and writes it.</summary>
    public abstract ValueTask WriteResponseHeadersAsync(HeaderMap headers, bool endStream);

    /// <summary>Passes response trailers on.</summary>
    public abstract ValueTask WriteResponseTrailersAsync(HeaderMap trailers);

    /// <summary>
    /// Answers without an upstream, as Envoy's local replies do: plain text, or trailers-only for gRPC requests; local reply mapping and response
    /// hooks apply. After the response has started it resets the stream instead.
    /// </summary>
    /// <param name="status">For instance 503.</param>
    /// <param name="body">Plain text; may be empty.</param>
    /// <param name="details">For <see cref="ResponseCodeDetails"/>.</param>
    /// <param name="extraHeaders">More headers, or null.</param>
    /// <param name="replaceHeaders">They take the place of headers of their names instead of standing beside them.</param>
    public abstract ValueTask<FilterOutcome> RespondAsync(
        int status, ReadOnlyMemory<byte> body, string details, HeaderMap? extraHeaders = null, bool replaceHeaders = false);

    /// <inheritdoc/>
    public virtual ValueTask<BodyRead> ReadBodyAsync() => Downstream.ReadBodyAsync();

    /// <inheritdoc/>
    public ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream) => Downstream.WriteBodyAsync(data, endStream);

    /// <inheritdoc/>
    public ValueTask FlushAsync() => Downstream.FlushAsync();
}
