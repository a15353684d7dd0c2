using System.Buffers;

namespace Nuncio.DataPlane.Routing;

/// <summary>The next candidate of each chain that a request hit; gives them in the order of their positions.</summary>
internal ref struct ChainHeads
{
    private Span<int> _heads;
    private int[]? _rented;
    private int _count;

    public ChainHeads(Span<int> initial) => _heads = initial;

    public void Add(int position)
    {
        if (_count == _heads.Length)
        {
            var bigger = ArrayPool<int>.Shared.Rent(_heads.Length * 2);
            _heads.CopyTo(bigger);
            if (_rented is not null)
            {
                ArrayPool<int>.Shared.Return(_rented);
            }

            _heads = _rented = bigger;
        }

        _heads[_count++] = position;
    }

    /// <summary>Takes the lowest position, and goes on in its chain; -1 at the end.</summary>
    public int TakeLowest(int[] next)
    {
        if (_count == 0)
        {
            return -1;
        }

        var lowest = 0;
        for (var i = 1; i < _count; i++)
        {
            if (_heads[i] < _heads[lowest])
            {
                lowest = i;
            }
        }

        var position = _heads[lowest];
        var following = next[position];
        _heads[lowest] = following >= 0 ? following : _heads[--_count];
        return position;
    }

    public void Dispose()
    {
        if (_rented is { } rented)
        {
            _rented = null;
            ArrayPool<int>.Shared.Return(rented);
        }
    }
}
