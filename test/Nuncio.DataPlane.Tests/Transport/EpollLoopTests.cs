using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Transport.Epoll;

namespace Nuncio.DataPlane.Tests.Transport;

public sealed class EpollLoopTests
{
    [SkippableFact]
    public async Task Post_WhileTheTurnsOutputIsFlushed_IsNotSleptOver()
    {
        Skip.IfNot(EpollLoops.IsSupported);
        var loop = EpollLoops.Next();
        for (var i = 0; i < 20; i++)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            loop.Post(new Posted(() => FlushBatch.Add(new Flushed(() => loop.Post(new Posted(done.SetResult))))));
            await done.Task.WaitAsync(Until.Limit);
        }
    }

    private sealed class Posted(Action action) : IEpollTarget
    {
        public void OnEvents(uint events)
        {
        }

        public void OnPosted() => action();
    }

    private sealed class Flushed(Action action) : IBatchedOutput
    {
        public IBatchedOutput? NextInBatch { get; set; }

        public void FlushNow() => action();
    }
}
