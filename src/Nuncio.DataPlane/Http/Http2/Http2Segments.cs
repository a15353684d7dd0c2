using System.Buffers;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>
/// Buffers for received bodies. A window's worth of them can wait for slow readers, more than the shared array pool keeps, so the large ones have a
/// stack of their own, which keeps at most 16 MiB.
/// </summary>
internal static class Http2Segments
{
    private const int SmallSize = 4096;
    private const int LargeSize = Http2Frames.DefaultMaxFrameSize;
    private const int MaxKept = 1024;

    private static readonly Lock Gate = new();
    private static readonly byte[][] Kept = new byte[MaxKept][];
    private static int _count;

    /// <summary>A buffer for at least <paramref name="length"/> bytes, which are no more than a frame's.</summary>
    /// <param name="length">Bytes to be stored now.</param>
    /// <param name="moreToCome">The reader is behind already: a large one will fill.</param>
    public static byte[] Rent(int length, bool moreToCome)
    {
        if (length <= SmallSize && !moreToCome)
        {
            return ArrayPool<byte>.Shared.Rent(SmallSize);
        }

        lock (Gate)
        {
            if (_count > 0)
            {
                var kept = Kept[--_count];
                Kept[_count] = null!;
                return kept;
            }
        }

        return GC.AllocateUninitializedArray<byte>(LargeSize);
    }

    /// <summary>Takes a buffer back.</summary>
    public static void Return(byte[] buffer)
    {
        if (buffer.Length < LargeSize)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return;
        }

        lock (Gate)
        {
            if (_count < MaxKept)
            {
                Kept[_count++] = buffer;
            }
        }
    }
}
