using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>
/// What a log of connections (of a TCP proxy, or of a listener) shows of one of them. It stands where a request stands in logs of requests, so that formats and
/// filters are the same: what only requests have is absent.
/// </summary>
internal sealed class ConnectionRecord : HttpExchange
{
    private readonly ConnectionStream _stream;

    /// <summary>A connection that was accepted now.</summary>
    public ConnectionRecord(DownstreamConnectionInfo connection, TimeProvider clock)
        : this(connection, clock, clock.GetTimestamp(), clock.GetUtcNow())
    {
    }

    /// <summary>A connection that was accepted at some time.</summary>
    public ConnectionRecord(DownstreamConnectionInfo connection, TimeProvider clock, long startTimestamp, DateTimeOffset startTime)
    {
        _stream = new ConnectionStream(connection);
        Clock = clock;
        StartTimestamp = startTimestamp;
        StartTime = startTime;
        Random = (ulong)System.Random.Shared.NextInt64();
        RemoteAddress = connection.RemoteAddress;
    }

    /// <inheritdoc/>
    public override bool IsConnection => true;

    /// <inheritdoc/>
    public override HttpServerStream Downstream => _stream;

    /// <summary>Never asked for: formats do not look at it.</summary>
    public override HttpConnectionManagerModel ConnectionManager => throw new InvalidOperationException("A connection has no connection manager.");

    /// <inheritdoc/>
    public override object?[] FilterState => [];

    /// <inheritdoc/>
    public override IBodySource RequestBody { get => this; set => throw new InvalidOperationException("A connection has no body."); }

    /// <inheritdoc/>
    public override bool RequestHasNoBody { get; set; } = true;

    /// <inheritdoc/>
    public override IBodySink ResponseBody { get => this; set => throw new InvalidOperationException("A connection has no body."); }

    /// <summary>Counts bytes from the client.</summary>
    public void AddReceived(long count) => _stream.AddReceived(count);

    /// <summary>Counts bytes to the client.</summary>
    public void AddSent(long count) => _stream.AddSent(count);

    /// <summary>The connection is over: it is written to logs.</summary>
    public void Write(IReadOnlyList<AccessLogModel> logs)
    {
        EndTimestamp = Clock.GetTimestamp();
        for (var i = 0; i < logs.Count; i++)
        {
            if (logs[i].Filter is null || logs[i].Filter!.Includes(this))
            {
                logs[i].Write(this);
            }
        }
    }

    /// <inheritdoc/>
    public override void FinalizeRequestHeaders()
    {
    }

    /// <inheritdoc/>
    public override void FinalizeResponseHeaders(HeaderMap headers)
    {
    }

    /// <inheritdoc/>
    public override void ClearRouteCache()
    {
    }

    /// <inheritdoc/>
    public override ValueTask WriteResponseHeadersAsync(HeaderMap headers, bool endStream) => default;

    /// <inheritdoc/>
    public override ValueTask WriteResponseTrailersAsync(HeaderMap trailers) => default;

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> RespondAsync(
        int status, ReadOnlyMemory<byte> body, string details, HeaderMap? extraHeaders = null, bool replaceHeaders = false) =>
            new(FilterOutcome.Responded);

    /// <inheritdoc/>
    internal override void HoldResponse(IHeldResponse held)
    {
    }

    /// <inheritdoc/>
    internal override bool IsResponseHeld => false;
}
