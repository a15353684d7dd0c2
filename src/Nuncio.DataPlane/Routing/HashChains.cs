using System.Numerics;

namespace Nuncio.DataPlane.Routing;

/// <summary>From a hash to a chain of route positions in rising order. Two keys of one hash share a chain, which costs time but is not wrong.</summary>
internal sealed class HashChains
{
    private readonly int[] _next;
    private Slot[] _slots;
    private int _used;

    /// <param name="next">By position: the next position in its chain, or -1. Shared by all chains of an index, since a route is in one only.</param>
    /// <param name="capacity">How many keys to expect.</param>
    public HashChains(int[] next, int capacity)
    {
        _next = next;
        _slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, capacity * 2))];
    }

    public Slot[] Slots => _slots;

    /// <summary>Appends a position, which must be above all before.</summary>
    public void Add(ulong hash, int position)
    {
        if (_used * 2 > _slots.Length)
        {
            Grow();
        }

        ref var slot = ref Find(_slots, hash);
        _next[position] = -1;
        if (slot.Count++ == 0)
        {
            _used++;
            slot.Hash = hash;
            slot.Head = slot.Tail = position;
            return;
        }

        _next[slot.Tail] = position;
        slot.Tail = position;
    }

    /// <summary>The chain of a hash; its count is 0 where there is none.</summary>
    public ref Slot Find(ulong hash) => ref Find(_slots, hash);

    private static ref Slot Find(Slot[] slots, ulong hash)
    {
        var mask = slots.Length - 1;
        var at = (int)((hash ^ (hash >> 32)) & (uint)mask);
        while (slots[at].Count != 0 && slots[at].Hash != hash)
        {
            at = (at + 1) & mask;
        }

        return ref slots[at];
    }

    private void Grow()
    {
        var bigger = new Slot[_slots.Length * 2];
        foreach (ref var slot in _slots.AsSpan())
        {
            if (slot.Count != 0)
            {
                Find(bigger, slot.Hash) = slot;
            }
        }

        _slots = bigger;
    }

    public struct Slot
    {
        public ulong Hash;
        public int Head;
        public int Tail;
        public int Count;

        /// <summary>Set where the chain is long: it is cut by host there.</summary>
        public AuthorityChains? Authorities;
    }
}
