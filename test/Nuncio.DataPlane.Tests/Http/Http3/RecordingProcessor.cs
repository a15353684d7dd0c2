using System.Collections.Concurrent;
using System.Text;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Tests.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>Answers requests as the test says, by default with 200 and the request's body, and keeps what became of them.</summary>
internal sealed class RecordingProcessor(Func<HttpServerStream, Task>? answer = null) : HttpStreamProcessor
{
    private int _completed;

    public ConcurrentQueue<string> Requests { get; } = [];

    public ConcurrentQueue<(int Status, string Details)> Rejected { get; } = [];

    public ConcurrentQueue<string> Unreadable { get; } = [];

    public int Completed => Volatile.Read(ref _completed);

    public override async ValueTask ProcessAsync(HttpServerStream stream)
    {
        Requests.Enqueue($"{Text(stream, KnownHeader.Method)} {Text(stream, KnownHeader.Path)}");
        await (answer ?? ScriptedProcessor.EchoAsync)(stream);
        Interlocked.Increment(ref _completed);
    }

    public override async ValueTask RejectAsync(HttpServerStream stream, int status, string details)
    {
        Rejected.Enqueue((status, details));
        await stream.WriteHeadersAsync(ScriptedProcessor.Head(status), true);
    }

    public override void OnUnreadable(HttpServerStream stream, string details)
    {
        (stream.RequestHeaders.Count == 0).ShouldBe(details == LocalReplies.Http3MessagingDetails);
        Unreadable.Enqueue(details);
    }

    private static string Text(HttpServerStream stream, KnownHeader header) => Encoding.Latin1.GetString(stream.RequestHeaders.Get(header));
}

/// <summary>Keeps how a stream was aborted.</summary>
internal sealed class RecordingAbortHandler : IStreamAbortHandler
{
    private readonly TaskCompletionSource<StreamResetReason> _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public Task<StreamResetReason> Aborted => _aborted.Task.WaitAsync(Until.Limit);

    public void OnStreamAborted(StreamResetReason reason)
    {
        Interlocked.Increment(ref _calls);
        _aborted.TrySetResult(reason);
    }
}
