using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>A connection in the place of a request, for logs of connections: nothing can be read from it or written to it.</summary>
internal sealed class ConnectionStream(DownstreamConnectionInfo connection) : HttpServerStream
{
    /// <inheritdoc/>
    public override DownstreamConnectionInfo Connection => connection;

    /// <summary>Counts bytes from the client.</summary>
    public void AddReceived(long count) => BytesReceived += count;

    /// <summary>Counts bytes to the client.</summary>
    public void AddSent(long count) => BytesSent += count;

    /// <inheritdoc/>
    public override void OnAborted(IStreamAbortHandler? handler)
    {
    }

    /// <inheritdoc/>
    public override ValueTask<BodyRead> ReadBodyAsync() => new(BodyRead.End);

    /// <inheritdoc/>
    public override ValueTask WriteHeadersAsync(HeaderMap headers, bool endStream) => default;

    /// <inheritdoc/>
    public override ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream) => default;

    /// <inheritdoc/>
    public override ValueTask WriteTrailersAsync(HeaderMap trailers) => default;

    /// <inheritdoc/>
    public override ValueTask FlushAsync() => default;

    /// <inheritdoc/>
    public override void StopReading()
    {
    }

    /// <inheritdoc/>
    public override void Reset(StreamResetReason reason)
    {
    }

    /// <inheritdoc/>
    public override void CloseConnectionAfterResponse()
    {
    }
}
