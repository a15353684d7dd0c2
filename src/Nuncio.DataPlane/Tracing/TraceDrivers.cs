using Google.Protobuf;

namespace Nuncio.DataPlane.Tracing;

/// <summary>
/// One driver per configuration, whatever listeners come and go. One that no listener has any more is forgotten; it lives as long as requests that hold it,
/// and reports what they leave.
/// </summary>
internal sealed class TraceDrivers : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ByteString, TraceDriver> _drivers = [];
    private readonly List<WeakReference<TraceDriver>> _retired = [];

    /// <summary>How many configurations have a driver.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _drivers.Count;
            }
        }
    }

    /// <summary>The driver of a configuration.</summary>
    /// <param name="key">The configuration's bytes.</param>
    /// <param name="create">Makes it where it is new.</param>
    public TraceDriver Get(ByteString key, Func<TraceDriver> create)
    {
        lock (_gate)
        {
            if (!_drivers.TryGetValue(key, out var driver))
            {
                _drivers.Add(key, driver = create());
            }

            return driver;
        }
    }

    /// <summary>Forgets the drivers that are not among <paramref name="used"/>.</summary>
    public void Trim(IReadOnlySet<TraceDriver> used)
    {
        lock (_gate)
        {
            _retired.RemoveAll(static reference => !reference.TryGetTarget(out _));
            foreach (var (key, driver) in _drivers)
            {
                if (!used.Contains(driver))
                {
                    // Allowed by Dictionary: removing does not end an enumeration.
                    _drivers.Remove(key);
                    _retired.Add(new WeakReference<TraceDriver>(driver));
                }
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        List<TraceDriver> left;
        lock (_gate)
        {
            left = [.. _drivers.Values];
            foreach (var reference in _retired)
            {
                if (reference.TryGetTarget(out var driver))
                {
                    left.Add(driver);
                }
            }

            _drivers.Clear();
            _retired.Clear();
        }

        foreach (var driver in left)
        {
            await driver.DisposeAsync();
        }
    }
}
