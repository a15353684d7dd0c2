using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>Where the router reads the request body from: the client's stream, or a filter's replacement for it.</summary>
public interface IBodySource
{
    /// <summary>The next piece; see <see cref="HttpServerStream.ReadBodyAsync"/>.</summary>
    ValueTask<BodyRead> ReadBodyAsync();
}

/// <summary>Where response body bytes go: the client's stream, or a filter that transforms them on the way there (chained).</summary>
public interface IBodySink
{
    /// <summary>Takes a piece; the buffer is free again on completion.</summary>
    ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream);

    /// <summary>Sends what is held back so far as far as that is possible without changing the meaning.</summary>
    ValueTask FlushAsync();
}

/// <summary>A sink that holds something back which must go out before trailers do.</summary>
public interface IFinishingBodySink : IBodySink
{
    /// <summary>Passes on what is held back: no more body follows.</summary>
    ValueTask FinishAsync();
}
