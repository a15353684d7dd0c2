using System.Globalization;
using Nuncio.DataPlane.Listening;

namespace Nuncio.DataPlane.Overload;

/// <summary>Looks at the resources of the process every now and then, and tells <see cref="OverloadState"/>.</summary>
internal sealed class OverloadMonitor : IDisposable
{
    private static readonly TimeSpan ShrinkInterval = TimeSpan.FromSeconds(10);

    private readonly OverloadOptions _options;
    private readonly OverloadState _state;
    private readonly OverloadMetrics _metrics;
    private readonly ConnectionCount _connections;
    private readonly MemoryGauge _memory;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private long? _shrunk;
    private int _looking;

    public OverloadMonitor(OverloadOptions options, OverloadState state, OverloadMetrics metrics, ConnectionCount connections, TimeProvider time)
    {
        _options = options;
        _state = state;
        _metrics = metrics;
        _connections = connections;
        _memory = new MemoryGauge(options.MemoryLimit);
        _time = time;
        _timer = time.CreateTimer(static state => ((OverloadMonitor)state!).Look(), this, TimeSpan.Zero, options.RefreshInterval);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        // A collection may take longer than an interval.
        if (Interlocked.Exchange(ref _looking, 1) != 0)
        {
            return;
        }

        var memory = _memory.Pressure();
        if (memory >= _options.ShrinkHeap && (_shrunk is not { } last || _time.GetElapsedTime(last) >= ShrinkInterval))
        {
            MemoryGauge.Shrink();
            _metrics.ShrinkHeapCount.Increment();
            _shrunk = _time.GetTimestamp();
            memory = _memory.Pressure();
        }

        _state.Apply(new ResourcePressures(memory, _connections.Pressure, Injected()));
        Volatile.Write(ref _looking, 0);
    }

    private double Injected()
    {
        try
        {
            return _options.InjectedPressureFile is { } file
                && double.TryParse(File.ReadAllText(file), NumberStyles.Float, CultureInfo.InvariantCulture, out var pressure) ? Math.Clamp(pressure, 0, 1) : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
