using System.Runtime.InteropServices;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>The memory of one Lua state: beyond its limit there is none, which a script sees as an error.</summary>
internal sealed unsafe class LuaMemory(long limit)
{
    private long _used;

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

        if (_used - old + (long)newSize > limit)
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
}
