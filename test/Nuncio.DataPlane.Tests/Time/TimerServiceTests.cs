using Nuncio.DataPlane.Time;
using Nuncio.Testing;

namespace Nuncio.DataPlane.Tests.Time;

public class TimerServiceTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(25)]
    [InlineData(3000)]
    [InlineData(60000)]
    public void Start_AfterTheDelay_FiresOnceAndNeverEarly(int milliseconds)
    {
        var time = new ManualTimeProvider();
        using var timers = new TimerService(time);
        var fired = 0;
        var timer = timers.Create(() => fired++);
        timer.Start(TimeSpan.FromMilliseconds(milliseconds));
        time.Advance(TimeSpan.FromMilliseconds(Math.Max(0, milliseconds - 1)));
        fired.ShouldBe(0);
        time.Advance(TimeSpan.FromMilliseconds(31));
        fired.ShouldBe(1);
        time.Advance(TimeSpan.FromMinutes(1));
        fired.ShouldBe(1);
    }

    [Fact]
    public void Cancel_BeforeTheDelay_DoesNotFire()
    {
        var time = new ManualTimeProvider();
        using var timers = new TimerService(time);
        var fired = 0;
        var timer = timers.Create(() => fired++);
        timer.Start(TimeSpan.FromSeconds(1));
        timer.Cancel();
        timer.IsRunning.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(5));
        fired.ShouldBe(0);
    }

    [Fact]
    public void Start_WhileRunning_MovesTheDeadlineBothWays()
    {
        var time = new ManualTimeProvider();
        using var timers = new TimerService(time);
        var fired = 0;
        var timer = timers.Create(() => fired++);
        timer.Start(TimeSpan.FromSeconds(1));
        timer.Start(TimeSpan.FromSeconds(10));
        time.Advance(TimeSpan.FromSeconds(9));
        fired.ShouldBe(0);
        timer.Start(TimeSpan.FromMilliseconds(100));
        time.Advance(TimeSpan.FromMilliseconds(150));
        fired.ShouldBe(1);
    }

    [Fact]
    public void Idle_WithoutTimers_DoesNotTick()
    {
        var time = new ManualTimeProvider();
        using var timers = new TimerService(time);
        var timer = timers.Create(() => { });
        timer.Start(TimeSpan.FromMilliseconds(50));
        time.Advance(TimeSpan.FromSeconds(1));
        time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public void End_AmongOthers_IsHeldNoLongerAndLeavesTheOthers()
    {
        var time = new ManualTimeProvider();
        using var timers = new TimerService(time);
        var fired = 0;
        var kept = Enumerable.Range(0, 3).Select(_ => timers.Create(() => fired++)).ToArray();
        kept[0].Start(TimeSpan.FromHours(1));
        var ended = StartAndEnd(timers);
        kept[1].Start(TimeSpan.FromHours(1));
        var other = StartAndEnd(timers);
        kept[2].Start(TimeSpan.FromHours(1));
        GC.Collect();

        ended.IsAlive.ShouldBeFalse();
        other.IsAlive.ShouldBeFalse();
        time.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));
        fired.ShouldBe(3);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference StartAndEnd(TimerService timers)
    {
        var timer = timers.Create(() => { });
        timer.Start(TimeSpan.FromHours(1));
        timer.End();
        return new WeakReference(timer);
    }
}
