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
    [InlineData(1, 500)]
    [InlineData(500, 1)]
    public async Task Report_OfTheOtherKind_DoesNotWaitForAllThatAreThere(int accepted, int connected)
    {
        Skip.IfNot(EpollLoops.IsSupported);
        var told = await ReportAsync(accepted, connected);
        told.Length.ShouldBe(accepted + connected);
        Array.IndexOf(told, accepted < connected ? "accepted" : "connected").ShouldBeLessThan(400);
    }

    [SkippableFact]
    public async Task Report_OfMany_TakesAnswersBeforeRequests()
    {
        Skip.IfNot(EpollLoops.IsSupported);
        var told = await ReportAsync(accepted: 500, connected: 200);
        told.Take(300).Count(static kind => kind == "connected").ShouldBe(200);
    }

    // What the loop is told of sockets that have all something at once, in its order.
    private static async Task<string[]> ReportAsync(int accepted, int connected)
    {
        var loop = EpollLoop.Start(101).ShouldNotBeNull();
        var told = new List<string>();
        var slots = new List<int>();
        var events = Enumerable.Range(0, accepted + connected).Select(static _ => LinuxSockets.CreateEvent()).ToArray();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            // On the thread of the loop, so that all are ready before it looks again.
            loop.Post(new Posted(() =>
            {
                for (var i = 0; i < events.Length; i++)
                {
                    var isConnected = i >= accepted;
                    LinuxSockets.Signal(events[i]);
                    var target = new Reported(() =>
                    {
                        told.Add(isConnected ? "connected" : "accepted");
                        if (told.Count == events.Length) done.SetResult();
                    });
                    loop.TryAdd(target, events[i], LinuxSockets.EventIn | LinuxSockets.EventEdge, isConnected, out var slot).ShouldBeTrue();
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

        return [.. told];
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
