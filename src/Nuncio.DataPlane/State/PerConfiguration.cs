using Google.Protobuf;

namespace Nuncio.DataPlane.State;

/// <summary>
/// What is kept once per configuration, whatever listeners come and go: an unchanged configuration keeps what it has. What no listener has any more is
/// forgotten; requests that hold it go on with it, and when none does there is nothing left to end.
/// </summary>
internal sealed class PerConfiguration<T> : IAsyncDisposable
    where T : class, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ByteString, T> _current = [];
    private readonly List<WeakReference<T>> _retired = [];

    /// <summary>How many configurations have one.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _current.Count;
            }
        }
    }

    /// <summary>That of a configuration.</summary>
    /// <param name="key">The configuration's bytes.</param>
    /// <param name="create">Makes it where it is new.</param>
    public T Get(ByteString key, Func<T> create)
    {
        lock (_gate)
        {
            if (!_current.TryGetValue(key, out var item))
            {
                _current.Add(key, item = create());
            }

            return item;
        }
    }

    /// <summary>Forgets those that are not among <paramref name="used"/>.</summary>
    /// <param name="used">Those that listeners have.</param>
    /// <param name="retire">Is told each that is forgotten.</param>
    public void Trim(IReadOnlySet<T> used, Action<T>? retire = null)
    {
        lock (_gate)
        {
            _retired.RemoveAll(static reference => !reference.TryGetTarget(out _));
            foreach (var (key, item) in _current)
            {
                if (!used.Contains(item))
                {
                    // Allowed by Dictionary: removing does not end an enumeration.
                    _current.Remove(key);
                    _retired.Add(new WeakReference<T>(item));
                    retire?.Invoke(item);
                }
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        List<T> left;
        lock (_gate)
        {
            left = [.. _current.Values];
            foreach (var reference in _retired)
            {
                if (reference.TryGetTarget(out var item))
                {
                    left.Add(item);
                }
            }

            _current.Clear();
            _retired.Clear();
        }

        foreach (var item in left)
        {
            await item.DisposeAsync();
        }
    }
}
