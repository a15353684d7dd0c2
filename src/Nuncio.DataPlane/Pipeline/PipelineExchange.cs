using System.Net;
using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Routing;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>The exchange of <see cref="HttpPipeline"/>: rented per request, empty in between.</summary>
internal sealed class PipelineExchange : HttpExchange
{
    private readonly HeaderMap _replyHeaders = new();
    private readonly HeaderMap _loggedHeaders = new();
    private readonly HeaderMap _loggedTrailers = new();
    private HttpPipeline _pipeline = null!;
    private HttpServerStream? _stream;
    private object?[] _filterState = [];
    private IBodySource? _requestBody;
    private IBodySink? _responseBody;
    private bool _requestHasNoBody;
    private bool _requestHeadersFinal;
    private IHeldResponse? _held;

    public override HttpServerStream Downstream => _stream!;

    public override HttpConnectionManagerModel ConnectionManager => _pipeline.Model;

    internal override Telemetry.HttpConnectionManagerMetrics? Statistics => _pipeline.Metrics;

    /// <summary>What it has of <see cref="Overload.OverloadState.TryKeep"/>.</summary>
    public long Kept { get; set; }

    internal override bool TryKeep(long bytes)
    {
        if (!_pipeline.Overload.TryKeep(bytes))
        {
            return false;
        }

        Kept += bytes;
        return true;
    }

    internal override Overload.OverloadState Overload => _pipeline.Overload;

    internal override bool KeepsBody => Kept > 0;

    internal override void Release(long bytes)
    {
        _pipeline.Overload.Release(bytes);
        Kept -= bytes;
    }

    internal override void DropBody()
    {
        _requestBody = null;
        Release(Kept);
    }

    public override object?[] FilterState => _filterState;

    public override IBodySource RequestBody
    {
        get => _requestBody ?? this;
        set
        {
            _requestBody = value;
            _requestHasNoBody = false;
        }
    }

    public override bool RequestHasNoBody
    {
        get => _requestHasNoBody;
        set => _requestHasNoBody = value;
    }

    public override IBodySink ResponseBody
    {
        get => _responseBody ?? this;
        set => _responseBody = value;
    }

    /// <summary>It is counted among the open upgrades.</summary>
    public bool CountsUpgrade { get; set; }

    public void Begin(HttpPipeline pipeline, HttpServerStream stream)
    {
        _pipeline = pipeline;
        _stream = stream;
        if (_filterState.Length != pipeline.Model.Filters.Count)
        {
            _filterState = new object?[pipeline.Model.Filters.Count];
        }

        Clock = pipeline.Clock;
        StartTimestamp = Clock.GetTimestamp();
        StartTime = Clock.GetUtcNow();
        Random = (ulong)System.Random.Shared.NextInt64();
        RemoteAddress = stream.Connection.RemoteAddress;
        IsGrpc = GrpcRequests.IsGrpc(stream.RequestHeaders);
        _requestHasNoBody = stream.RequestEndedWithHeaders;
        stream.RequestHeaders.Spelling ??= stream.Connection.HeaderSpelling;
    }

    public void SetClient(IPEndPoint remote, bool isUpgrade)
    {
        RemoteAddress = remote;
        IsUpgrade = isUpgrade;
    }

    /// <summary>Forgets the request, ready for the next.</summary>
    public void Reset()
    {
        _stream!.Clusters = null;
        _stream = null;
        Array.Clear(_filterState);
        _requestBody = null;
        _responseBody = null;
        _requestHeadersFinal = CountsUpgrade = false;
        Flags = ResponseFlags.None;
        ResponseCodeDetails = ConnectionTerminationDetails = ClusterName = "";
        RouteConfiguration = null;
        VirtualHost = null;
        VirtualCluster = null;
        Route = null;
        Forward = null;
        WeightedCluster = null;
        ResponseHeaders = ResponseTrailers = null;
        ResponseStatus = 0;
        LocalReplyBody = default;
        EndTimestamp = RequestEndTimestamp = ResponseStartTimestamp = 0;
        IsUpgrade = IsGrpc = IsGrpcWeb = IsHealthCheck = false;
        Trace = null;
        Metadata = null;
        FilterObjects = null;
        WantedEndpoint = null;
        _held = null;
        Upstream.Clear();
    }

    public void SetStatus(int status) => ResponseStatus = status;

    public void SetLocalReplyBody(ReadOnlyMemory<byte> body) => LocalReplyBody = body;

    public void SetRoutes(RouteConfigurationModel? routes) => RouteConfiguration = routes;

    public void End() => EndTimestamp = Clock.GetTimestamp();

    /// <inheritdoc/>
    public override void ClearRouteCache() => ChooseRoute();

    /// <summary>Finds virtual host, route and cluster of the headers as they are.</summary>
    public void ChooseRoute()
    {
        VirtualHost = RouteConfiguration?.Index.Find(RequestHeaders);
        VirtualCluster = null;
        Route = null;
        Forward = null;
        WeightedCluster = null;
        ClusterName = "";
        if (VirtualHost is null)
        {
            return;
        }

        if (VirtualHost.RequireTls != RouteV3.VirtualHost.Types.TlsRequirementType.None && NeedsTls(VirtualHost.RequireTls))
        {
            Route = RequestHeaders.Contains(KnownHeader.XForwardedProto) ? TlsRedirectRoute.Instance : null;
            return;
        }

        Route = VirtualHost.Index.Find(new RouteInput(RequestHeaders, Downstream.Connection, Random, RouteConfiguration!.IgnorePathParameters));
        Forward = Route?.Action as ForwardModel;
        if (Forward is null)
        {
            return;
        }

        ClusterName = Clusters.Choose(Forward, RequestHeaders, Random, out var weighted);
        WeightedCluster = weighted;
        var virtualClusters = VirtualHost.VirtualClusters;
        for (var i = 0; i < virtualClusters.Count; i++)
        {
            if (virtualClusters[i].Includes(RequestHeaders))
            {
                VirtualCluster = virtualClusters[i];
                break;
            }
        }
    }

    private bool NeedsTls(RouteV3.VirtualHost.Types.TlsRequirementType requirement) =>
        !RequestHeaders.Get(KnownHeader.XForwardedProto).SequenceEqual("https"u8)
        && (requirement == RouteV3.VirtualHost.Types.TlsRequirementType.All || !RequestHeaders.Get(KnownHeader.XEnvoyInternal).SequenceEqual("true"u8));

    /// <inheritdoc/>
    public override void FinalizeRequestHeaders()
    {
        if (_requestHeadersFinal || Forward is not { } forward)
        {
            return;
        }

        _requestHeadersFinal = true;
        var headers = RequestHeaders;
        ForEachLevel(headers, request: true);
        var keep = !_pipeline.SuppressEnvoyHeaders;
        if (forward.PathRewrite is { } pathRewrite)
        {
            PathRewrites.RewritePath(pathRewrite, Route!.Match, headers, this, keep);
        }

        if (WeightedCluster?.HostRewriteLiteral is { } literal)
        {
            PathRewrites.SetHost(headers, literal, forward.AppendXForwardedHost, keep);
        }
        else if (forward.HostRewrite is { } hostRewrite)
        {
            var buffer = FormatBuffer.Rent();
            PathRewrites.WriteHost(hostRewrite, headers, this, buffer);
            if (buffer.Length > 0)
            {
                PathRewrites.SetHost(headers, buffer.Written, forward.AppendXForwardedHost, keep);
            }

            buffer.Return();
        }
    }

    /// <inheritdoc/>
    public override void FinalizeResponseHeaders(HeaderMap headers)
    {
        ResponseHeaders = headers;
        ResponseStatus = headers.Status;
        ForEachLevel(headers, request: false);
    }

    /// <inheritdoc/>
    public override ValueTask WriteResponseHeadersAsync(HeaderMap headers, bool endStream)
    {
        var status = headers.Status;
        if (status is >= 100 and < 200 and not 101)
        {
            return Downstream.WriteHeadersAsync(headers, endStream: false);
        }

        ResponseHeaders = headers;
        ResponseStatus = status;
        ResponseStartTimestamp = Clock.GetTimestamp();
        for (var i = _pipeline.Model.Filters.Count - 1; i >= 0; i--)
        {
            if (_pipeline.IsActive(this, i))
            {
                _pipeline.Model.Filters[i].OnResponseHeaders(this, headers, endStream);
            }
        }

        ResponseSanitizer.Finish(this, headers);
        ResponseStatus = headers.Status;
        if (IsUpgrade && !endStream
            && (ResponseStatus == 101 || (ResponseStatus is >= 200 and < 300 && RequestHeaders.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8))))
        {
            _pipeline.CountUpgrade(this);
        }

        if (_pipeline.Model.AccessLogs.Count > 0 || Trace is not null)
        {
            // The upstream's map is used again before the line is written.
            _loggedHeaders.Clear();
            _loggedHeaders.AddAll(headers);
            ResponseHeaders = _loggedHeaders;
        }

        return _held is null ? Downstream.WriteHeadersAsync(headers, endStream) : WriteHeldHeadersAsync(_held, headers, endStream);
    }

    /// <inheritdoc/>
    internal override void HoldResponse(IHeldResponse held) => _held = _held is null ? held : new HeldPair(_held, held);

    /// <inheritdoc/>
    internal override bool IsResponseHeld => _held is not null;

    private async ValueTask WriteHeldHeadersAsync(IHeldResponse held, HeaderMap headers, bool endStream)
    {
        if (!await held.OnHeadersAsync(endStream))
        {
            ResponseBody = new HeldBody(this, held, headers, ResponseBody);
            return;
        }

        Relog(headers);
        var body = endStream ? held.Replacement : default;
        await Downstream.WriteHeadersAsync(headers, endStream && body.IsEmpty);
        if (!body.IsEmpty)
        {
            await ResponseBody.WriteBodyAsync(body, endStream: true);
        }
    }

    /// <summary>What a filter did to the headers at last is logged too.</summary>
    internal void Relog(HeaderMap headers)
    {
        ResponseStatus = headers.Status;
        if (ReferenceEquals(ResponseHeaders, _loggedHeaders))
        {
            _loggedHeaders.Clear();
            _loggedHeaders.AddAll(headers);
        }
    }

    /// <inheritdoc/>
    public override ValueTask WriteResponseTrailersAsync(HeaderMap trailers)
    {
        ResponseTrailers = trailers;
        for (var i = _pipeline.Model.Filters.Count - 1; i >= 0; i--)
        {
            if (_pipeline.IsActive(this, i))
            {
                _pipeline.Model.Filters[i].OnResponseTrailers(this, trailers);
            }
        }

        if (_pipeline.Model.AccessLogs.Count > 0 || Trace is not null)
        {
            _loggedTrailers.Clear();
            _loggedTrailers.AddAll(trailers);
            ResponseTrailers = _loggedTrailers;
        }

        return _responseBody is IFinishingBodySink sink ? FinishAsync(sink, trailers) : EndAsync(trailers);
    }

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> RespondAsync(
        int status, ReadOnlyMemory<byte> body, string details, HeaderMap? extraHeaders = null, bool replaceHeaders = false)
    {
        ResponseCodeDetails = details;
        if (Downstream.ResponseStarted)
        {
            Downstream.Reset(StreamResetReason.LocalReset);
            return new ValueTask<FilterOutcome>(FilterOutcome.Responded);
        }

        _replyHeaders.Clear();
        _replyHeaders.Status = status;
        ResponseStatus = status;
        ResponseHeaders = _replyHeaders;
        if (Forward is not null)
        {
            ForEachLevel(_replyHeaders, request: false);
        }

        if (extraHeaders is not null)
        {
            if (replaceHeaders)
            {
                foreach (var header in extraHeaders)
                {
                    _replyHeaders.Remove(header.Name);
                }
            }

            _replyHeaders.AddAll(extraHeaders);
        }

        return WriteReplyAsync(body);
    }

    private async ValueTask FinishAsync(IFinishingBodySink sink, HeaderMap trailers)
    {
        await sink.FinishAsync();
        await EndAsync(trailers);
    }

    // A filter may have taken them all.
    private ValueTask EndAsync(HeaderMap trailers) =>
        trailers.Count > 0 ? Downstream.WriteTrailersAsync(trailers) : Downstream.WriteBodyAsync(default, endStream: true);

    /// <summary>Answers as the route itself says: redirect, direct response, or 404 for a route that does not forward.</summary>
    public ValueTask<FilterOutcome> RespondFromRouteAsync()
    {
        switch (Route!.Action)
        {
            case RedirectModel redirect:
                ResponseCodeDetails = LocalReplies.DirectResponseDetails;
                BeginReply(redirect.Status);
                if (redirect.PathRewrite is { } rewrite)
                {
                    PathRewrites.RewritePath(rewrite, Route.Match, RequestHeaders, this, keepOriginal: !_pipeline.SuppressEnvoyHeaders);
                }

                var location = FormatBuffer.Rent();
                Redirects.WriteLocation(redirect, RequestHeaders, location);
                _replyHeaders.Add(KnownHeader.Location, HeaderMutations.Sanitized(location.Written));
                location.Return();
                ForEachLevel(_replyHeaders, request: false);
                return WriteReplyAsync(default);
            case DirectResponseModel direct:
                ResponseCodeDetails = LocalReplies.DirectResponseDetails;
                BeginReply(direct.Status);
                var body = direct.Body;
                if (direct.BodyFormat is { } format)
                {
                    LocalReplyBody = direct.Body;
                    var text = new FormatBuffer();
                    format.Write(this, text);
                    body = text.WrittenMemory;
                }

                ForEachLevel(_replyHeaders, request: false);
                return WriteReplyAsync(body);
            default:
                return RespondAsync(LocalReplies.RouteNotFound);
        }
    }

    private void BeginReply(int status)
    {
        _replyHeaders.Clear();
        _replyHeaders.Status = status;
        ResponseStatus = status;
        ResponseHeaders = _replyHeaders;
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<FilterOutcome> WriteReplyAsync(ReadOnlyMemory<byte> body)
    {
        body = LocalReplyBodies.Finish(this, _replyHeaders, body, _pipeline.Model.LocalReply);
        ResponseStatus = _replyHeaders.Status;
        var isHead = RequestHeaders.Get(KnownHeader.Method).SequenceEqual("HEAD"u8);
        var endStream = body.IsEmpty || isHead;
        await WriteResponseHeadersAsync(_replyHeaders, endStream);
        if (!endStream)
        {
            await ResponseBody.WriteBodyAsync(body, endStream: true);
        }

        return FilterOutcome.Responded;
    }

    public override ValueTask<BodyRead> ReadBodyAsync()
    {
        var read = base.ReadBodyAsync();
        if (!read.IsCompletedSuccessfully)
        {
            return ReadSlowlyAsync(read);
        }

        var result = read.Result;
        Seen(result);
        return new ValueTask<BodyRead>(result);
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<BodyRead> ReadSlowlyAsync(ValueTask<BodyRead> read)
    {
        var result = await read;
        Seen(result);
        return result;
    }

    private void Seen(in BodyRead read)
    {
        if (read.EndStream && RequestEndTimestamp == 0)
        {
            RequestEndTimestamp = Clock.GetTimestamp();
        }
    }

    // From the most specific level to the least, or the other way round.
    private void ForEachLevel(HeaderMap headers, bool request)
    {
        var routes = RouteConfiguration;
        if (routes is { MostSpecificHeaderMutationsWins: true })
        {
            HeaderMutations.Apply(request ? routes.RequestHeaders : routes.ResponseHeaders, headers, this);
            Apply(VirtualHost is null ? null : request ? VirtualHost.RequestHeaders : VirtualHost.ResponseHeaders, headers);
            Apply(Route is null ? null : request ? Route.RequestHeaders : Route.ResponseHeaders, headers);
            Apply(WeightedCluster is null ? null : request ? WeightedCluster.RequestHeaders : WeightedCluster.ResponseHeaders, headers);
            return;
        }

        Apply(WeightedCluster is null ? null : request ? WeightedCluster.RequestHeaders : WeightedCluster.ResponseHeaders, headers);
        Apply(Route is null ? null : request ? Route.RequestHeaders : Route.ResponseHeaders, headers);
        Apply(VirtualHost is null ? null : request ? VirtualHost.RequestHeaders : VirtualHost.ResponseHeaders, headers);
        Apply(routes is null ? null : request ? routes.RequestHeaders : routes.ResponseHeaders, headers);
    }

    private void Apply(HeaderMutationsModel? mutations, HeaderMap headers)
    {
        if (mutations is not null)
        {
            HeaderMutations.Apply(mutations, headers, this);
        }
    }

    // Where a response's body goes while its headers are held back.
    private sealed class HeldBody(PipelineExchange exchange, IHeldResponse held, HeaderMap headers, IBodySink inner) : IFinishingBodySink
    {
        private bool _released;

        public async ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
        {
            if (!_released && held.TryKeep(data.Span))
            {
                if (endStream)
                {
                    await ReleaseAsync(await held.OnBodyAsync(), endStream: true);
                }

                return;
            }

            if (!_released)
            {
                await ReleaseAsync(held.GiveUp(), endStream: false);
            }

            await inner.WriteBodyAsync(data, endStream);
        }

        public ValueTask FlushAsync() => _released ? inner.FlushAsync() : default;

        public async ValueTask FinishAsync()
        {
            if (!_released)
            {
                await ReleaseAsync(await held.OnBodyAsync(), endStream: false);
            }

            if (inner is IFinishingBodySink sink)
            {
                await sink.FinishAsync();
            }
        }

        private async ValueTask ReleaseAsync(ReadOnlyMemory<byte> body, bool endStream)
        {
            _released = true;
            exchange.Relog(headers);
            await exchange.Downstream.WriteHeadersAsync(headers, endStream: false);
            await inner.WriteBodyAsync(body, endStream);
        }
    }
}
