using System.Collections.Concurrent;
using System.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tests.Http.Http2;

/// <summary>Answers requests as the test says, by default with 200 and the request's body.</summary>
internal sealed class ScriptedProcessor(Func<HttpServerStream, Task>? answer = null) : HttpStreamProcessor
{
    public ConcurrentQueue<string> Paths { get; } = [];

    public int Completed;

    public override async ValueTask ProcessAsync(HttpServerStream stream)
    {
        Paths.Enqueue(Encoding.ASCII.GetString(stream.RequestHeaders.Get(KnownHeader.Path)));
        await (answer ?? EchoAsync)(stream);
        Interlocked.Increment(ref Completed);
    }

    public override ValueTask RejectAsync(HttpServerStream stream, int status, string details) => throw new NotSupportedException();

    public static async Task EchoAsync(HttpServerStream stream)
    {
        if (stream.RequestEndedWithHeaders)
        {
            await stream.WriteHeadersAsync(Head(200), true);
            return;
        }

        await stream.WriteHeadersAsync(Head(200), false);
        while (true)
        {
            var read = await stream.ReadBodyAsync();
            if (read.Error != StreamResetReason.None)
            {
                stream.Reset(read.Error);
                return;
            }

            var trailers = read.EndStream && stream.RequestTrailers.Count > 0;
            await stream.WriteBodyAsync(read.Data, read.EndStream && !trailers);
            if (trailers) await stream.WriteTrailersAsync(stream.RequestTrailers);
            if (read.EndStream) return;
            await stream.FlushAsync();
        }
    }

    public static HeaderMap Head(int status) => new() { Status = status };
}
