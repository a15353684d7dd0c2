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

    [SkippableFact]
    public async Task Defer_SeveralAtOnce_LetsOthersInBetween()
    {
        Skip.IfNot(EpollLoops.IsSupported);

        // One of its own, where nothing else happens that more could go by.
        var loop = EpollLoop.Start(100).ShouldNotBeNull();
        var order = new List<string>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        const int Many = 50;
        loop.Post(new Posted(() =>
        {
            DeferAsync("first", () => loop.Post(new Posted(() => order.Add("posted"))));
            for (var i = 0; i < Many; i++)
            {
                DeferAsync("other", static () => { });
            }

            DeferAsync("last", done.SetResult);
        }));
        await done.Task.WaitAsync(Until.Limit);
        order.Count.ShouldBe(Many + 3);
        order[0].ShouldBe("first");
        order[^1].ShouldBe("last");
        order.IndexOf("posted").ShouldBeLessThan(Many / 2);

        async void DeferAsync(string name, Action then)
        {
            await LoopTurn.Next;
            EpollLoop.Current.ShouldBe(loop);
            order.Add(name);
            then();
        }
    }

    [Fact]
    public void Turn_OfNoLoop_IsThereAtOnce() => LoopTurn.Next.IsCompleted.ShouldBeTrue();

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Report_OfTheOtherKind_DoesNotWaitForAllThatAreThere(bool connected)
    {
        const int Many = 500;
        Skip.IfNot(EpollLoops.IsSupported);
        var loop = EpollLoops.Next();
        var told = new List<int>();
        var slots = new List<int>();
        var events = Enumerable.Range(0, Many + 1).Select(static _ => LinuxSockets.CreateEvent()).ToArray();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            // On the thread of the loop, so that all are ready before it looks again.
            loop.Post(new Posted(() =>
            {
                for (var i = 0; i <= Many; i++)
                {
                    var number = i;
                    LinuxSockets.Signal(events[i]);
                    var target = new Reported(() =>
                    {
                        told.Add(number);
                        if (told.Count == events.Length) done.SetResult();
                    });
                    loop.TryAdd(target, events[i], LinuxSockets.EventIn | LinuxSockets.EventEdge, connected == (i == Many), out var slot).ShouldBeTrue();
                    slots.Add(slot);
                }
            }));
            await done.Task.WaitAsync(Until.Limit);
        }
        finally
        {
            slots.ForEach(loop.Remove);
            Array.ForEach(events, LinuxSockets.Close);
        }

        told.Order().ShouldBe(Enumerable.Range(0, Many + 1));
        told.IndexOf(Many).ShouldBeLessThan(Many / 2);
    }

    private sealed class Reported(Action action) : IEpollTarget
    {
        public void OnEvents(uint events) => action();

        public void OnPosted()
        {
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
