namespace Nuncio.DataPlane.Time;

/// <summary>A timer that calls a delegate; see <see cref="TimerService.Create"/>.</summary>
public sealed class CallbackTimer : TimerEntry
{
    private readonly Action _callback;

    internal CallbackTimer(TimerService service, Action callback)
        : base(service) => _callback = callback;

    /// <inheritdoc/>
    protected override void OnTimer(int version) => _callback();
}
