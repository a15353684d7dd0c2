using System.Runtime.InteropServices;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>The memory of one Lua state: beyond its limit there is none, which a script sees as an error.</summary>
/// <param name="limit">What the state may hold, in bytes.</param>
internal sealed unsafe class LuaMemory(long limit)
{
    /// <summary>What may be allocated between two waits, freed again or not: instructions do not say how much each of them copies.</summary>
    private const long MaxBytesOfStep = 2L * 1024 * 1024 * 1024;

    // Blocks up to this are left to the limit on instructions, and what stops a script needs some.
    private const long SmallBytes = 4096;

    private long _used;
    private long _ofStep;
    private bool _lifted;

    /// <summary>A run begins or goes on.</summary>
    public void BeginStep() => _ofStep = 0;

    /// <summary>
    /// Until disposed, memory is given beyond the limit: for values that managed code pushes, each of a bounded size. An error there would jump over managed
    /// frames, or have no handler and end the process; the script's own next allocation fails instead.
    /// </summary>
    public Lifted Lift()
    {
        _lifted = true;
        return new Lifted(this);
    }

    /// <summary>Lua's allocator.</summary>
    public nint Allocate(nint state, nint block, nuint oldSize, nuint newSize)
    {
        // Without a block the old size is a type's number.
        var old = block == 0 ? 0 : (long)oldSize;
        if (newSize == 0)
        {
            _used -= old;
            NativeMemory.Free((void*)block);
            return 0;
        }

        _ofStep += (long)newSize;
        if ((long)newSize > old && !_lifted && (_used - old + (long)newSize > limit || (_ofStep > MaxBytesOfStep && (long)newSize > SmallBytes)))
        {
            return 0;
        }

        try
        {
            var moved = (nint)NativeMemory.Realloc((void*)block, newSize);
            _used += (long)newSize - old;
            return moved;
        }
        catch (OutOfMemoryException)
        {
            return 0;
        }
    }

    /// <summary>While it is not disposed there is no limit.</summary>
    public readonly ref struct Lifted(LuaMemory memory)
    {
        /// <summary>The limit counts again.</summary>
        public void Dispose() => memory._lifted = false;
    }
}
