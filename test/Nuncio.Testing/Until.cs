using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Nuncio.Testing;

/// <summary>
/// Waits for what comes in its own time, with a limit that nothing that works comes near even on a busy machine: a test that waits in vain fails and says for
/// what, instead of hanging. A wait for a task says <c>WaitAsync(Until.Limit)</c>.
/// </summary>
public static class Until
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>How long any wait lasts at most.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(90);

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="state">What the failure says besides.</param>
    /// <param name="what">What is waited for; the text of the condition by itself.</param>
    /// <exception cref="TimeoutException">It did not hold within <see cref="Limit"/>.</exception>
    public static Task TrueAsync(Func<bool> condition, Func<string?>? state = null, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        TrueAsync(() => Task.FromResult(condition()), state, what);

    /// <inheritdoc cref="TrueAsync(Func{bool}, Func{string}, string)"/>
    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string?>? state = null, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        ArgumentNullException.ThrowIfNull(condition);
        for (var begun = Stopwatch.GetTimestamp(); !await condition();)
        {
            if (Stopwatch.GetElapsedTime(begun) > Limit) throw new TimeoutException($"Not within {Limit}: {what}\n{state?.Invoke()}");
            await Task.Delay(Pause);
        }
    }
}
