using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;

namespace Nuncio.DataPlane.Tests.Async;

public class PooledBuilderTests
{
    [Fact]
    public async Task Method_WithoutAWait_GivesItsResult() => (await AddAsync(Task.FromResult(1), 2)).ShouldBe(3);

    [Fact]
    public async Task Method_ThatWaits_GivesItsResultOnceTheWaitIsOver()
    {
        var gate = new TaskCompletionSource<int>();
        var sum = AddAsync(gate.Task, 2);
        sum.IsCompleted.ShouldBeFalse();
        gate.SetResult(1);
        (await sum).ShouldBe(3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Method_ThatThrows_ThrowsWhereItIsAwaited(bool early)
    {
        var gate = new TaskCompletionSource<int>();
        var failing = FailAsync(gate.Task, early);
        gate.SetResult(1);
        await Should.ThrowAsync<InvalidOperationException>(async () => await failing);
        (await AddAsync(Task.FromResult(1), 2)).ShouldBe(3);
    }

    [Fact]
    public async Task Result_TakenTwice_IsRefusedAndHarmsNoOtherCall()
    {
        var first = new TaskCompletionSource<int>();
        var sum = AddAsync(first.Task, 2);
        first.SetResult(1);
        var copy = sum;
        (await sum).ShouldBe(3);
        var second = new TaskCompletionSource<int>();
        var other = AddAsync(second.Task, 5);
        await Should.ThrowAsync<InvalidOperationException>(async () => await copy);
        second.SetResult(1);
        (await other).ShouldBe(6);
    }

    // Boxes are kept by thread, and calls may end on another one than they began on.
    [Fact]
    public async Task ManyCalls_EndingOnOtherThreads_EachGetsItsOwnResult()
    {
        var callers = Enumerable.Range(0, 8).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
            {
                var one = NestedAsync(caller, i);
                var two = NestedAsync(caller, i + 1);
                (await two).ShouldBe((caller * 100000) + i + 1);
                (await one).ShouldBe((caller * 100000) + i);
            }
        }));
        await Task.WhenAll(callers);
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private static async ValueTask<int> NestedAsync(int caller, int i)
    {
        await HopAsync();
        return await AddAsync(Task.FromResult(caller * 100000), i);
    }

    [AsyncMethodBuilder(typeof(PooledBuilder))]
    private static async ValueTask HopAsync() => await Task.Yield();

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private static async ValueTask<int> AddAsync(Task<int> first, int second) => await first + second;

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private static async ValueTask<int> FailAsync(Task<int> wait, bool early)
    {
        if (early)
        {
            throw new InvalidOperationException();
        }

        await wait;
        throw new InvalidOperationException();
    }
}
