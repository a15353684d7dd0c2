using System.Runtime.CompilerServices;

namespace Nuncio.DataPlane.Routing;

/// <summary>A hash that grows byte by byte (FNV-1a), so that one pass over a path gives the hashes of all its prefixes.</summary>
internal static class PathHash
{
    public const ulong Seed = 14695981039346656037;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Add(ulong hash, byte value) => (hash ^ value) * 1099511628211;

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = Seed;
        foreach (var value in bytes)
        {
            hash = Add(hash, value);
        }

        return hash;
    }

    /// <summary>From the end to the start: for suffixes.</summary>
    public static ulong OfReversed(ReadOnlySpan<byte> bytes)
    {
        var hash = Seed;
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            hash = Add(hash, bytes[i]);
        }

        return hash;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte ToLower(byte value) => (uint)(value - 'A') <= 'Z' - 'A' ? (byte)(value | 0x20) : value;
}
