using System.Text;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.LoadBalancing;

/// <summary>Maglev's table (Eisenbud et al., NSDI 2016, section 3.4) with weights, filled as Envoy fills it.</summary>
internal sealed class MaglevPicker : EndpointPicker
{
    private readonly EndpointState[] _endpoints;
    private readonly int[] _table;

    public MaglevPicker(EndpointState[] endpoints, double[] weights, uint size, bool byHostname)
    {
        // In the order of their keys, so that every proxy fills the same table in whatever order it was told of the endpoints.
        var keys = Array.ConvertAll(endpoints, endpoint => endpoint.HashKey(byHostname));
        var order = new int[endpoints.Length];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        Array.Sort(order, (x, y) => string.CompareOrdinal(keys[x], keys[y]));
        _endpoints = Array.ConvertAll(order, i => endpoints[i]);
        weights = Array.ConvertAll(order, i => weights[i]);
        _table = new int[size];
        Array.Fill(_table, -1);
        var heaviest = weights.Max();
        var offsets = new ulong[endpoints.Length];
        var skips = new ulong[endpoints.Length];
        var next = new ulong[endpoints.Length];
        var targets = new double[endpoints.Length];
        for (var i = 0; i < endpoints.Length; i++)
        {
            var key = Encoding.UTF8.GetBytes(keys[order[i]]);
            offsets[i] = XxHash64.Hash(key) % size;
            skips[i] = (XxHash64.Hash(key, 1) % (size - 1)) + 1;
        }

        var filled = 0;
        for (var iteration = 1; filled < size; iteration++)
        {
            for (var i = 0; i < endpoints.Length && filled < size; i++)
            {
                // An endpoint takes its turn only as often as its weight allows compared to the heaviest.
                if (iteration * weights[i] < targets[i])
                {
                    continue;
                }

                targets[i] += heaviest;
                ulong slot;
                do
                {
                    slot = (offsets[i] + (skips[i] * next[i]++)) % size;
                }
                while (_table[slot] >= 0);
                _table[slot] = i;
                filled++;
            }
        }
    }

    public override EndpointState Pick(ulong hash, int attempt)
    {
        if (attempt > 0)
        {
            // As in Envoy: a further attempt looks elsewhere, the same for every proxy.
            hash ^= ~0UL - (ulong)attempt + 1;
        }

        return _endpoints[_table[hash % (ulong)_table.Length]];
    }
}
