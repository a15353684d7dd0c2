using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>SHA-224 (FIPS 180-4), which .NET does not have, and signatures over it. Public data only: nothing here runs in constant time.</summary>
internal static class Sha224
{
    private const int BlockBytes = 64;
    private const int HashBytes = 28;

    // The DigestInfo of SHA-224 that comes before the hash in a signature of PKCS #1 v1.5 (RFC 8017, section 9.2).
    private static ReadOnlySpan<byte> DigestInfo =>
        [0x30, 0x2d, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04, 0x05, 0x00, 0x04, 0x1c];

    // The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static readonly uint[] Constants = MakeConstants();

    /// <summary>The hash of some bytes.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> data)
    {
        Span<uint> state = [0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4];
        var rest = data;
        for (; rest.Length >= BlockBytes; rest = rest[BlockBytes..])
        {
            Mix(state, rest[..BlockBytes]);
        }

        Span<byte> tail = stackalloc byte[2 * BlockBytes];
        tail.Clear();
        rest.CopyTo(tail);
        tail[rest.Length] = 0x80;
        var length = rest.Length < BlockBytes - 8 ? BlockBytes : 2 * BlockBytes;
        BinaryPrimitives.WriteUInt64BigEndian(tail[(length - 8)..], (ulong)data.Length * 8);
        for (var i = 0; i < length; i += BlockBytes)
        {
            Mix(state, tail.Slice(i, BlockBytes));
        }

        var hash = new byte[HashBytes];
        for (var i = 0; i < HashBytes / 4; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(i * 4), state[i]);
        }

        return hash;
    }

    /// <summary>Whether a signature of PKCS #1 v1.5 is good.</summary>
    public static bool IsGood(RSA key, byte[] signature, byte[] data)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        var modulus = new BigInteger(parameters.Modulus, isUnsigned: true, isBigEndian: true);
        var value = new BigInteger(signature, isUnsigned: true, isBigEndian: true);
        var size = parameters.Modulus!.Length;
        if (signature.Length != size || value >= modulus || size < DigestInfo.Length + HashBytes + 11)
        {
            return false;
        }

        var expected = new byte[size];
        expected.AsSpan().Fill(0xFF);
        expected[0] = 0;
        expected[1] = 1;
        var at = size - HashBytes - DigestInfo.Length;
        expected[at - 1] = 0;
        DigestInfo.CopyTo(expected.AsSpan(at));
        Hash(data).CopyTo(expected, size - HashBytes);
        var exponent = new BigInteger(parameters.Exponent, isUnsigned: true, isBigEndian: true);
        return BigInteger.ModPow(value, exponent, modulus) == new BigInteger(expected, isUnsigned: true, isBigEndian: true);
    }

    private static void Mix(Span<uint> state, ReadOnlySpan<byte> block)
    {
        Span<uint> words = stackalloc uint[64];
        for (var i = 0; i < 16; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt32BigEndian(block[(i * 4)..]);
        }

        for (var i = 16; i < 64; i++)
        {
            var (early, late) = (words[i - 15], words[i - 2]);
            words[i] = words[i - 16] + words[i - 7]
                + (BitOperations.RotateRight(early, 7) ^ BitOperations.RotateRight(early, 18) ^ (early >> 3))
                + (BitOperations.RotateRight(late, 17) ^ BitOperations.RotateRight(late, 19) ^ (late >> 10));
        }

        var (a, b, c, d) = (state[0], state[1], state[2], state[3]);
        var (e, f, g, h) = (state[4], state[5], state[6], state[7]);
        for (var i = 0; i < 64; i++)
        {
            var first = h + (BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25))
                + ((e & f) ^ (~e & g)) + Constants[i] + words[i];
            var second = (BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22))
                + ((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + first, c, b, a, first + second);
        }

        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }

    private static uint[] MakeConstants()
    {
        var constants = new uint[64];
        var candidate = 2;
        for (var i = 0; i < constants.Length; candidate++)
        {
            if (IsPrime(candidate))
            {
                constants[i++] = CubeRootFraction(candidate);
            }
        }

        return constants;
    }

    private static bool IsPrime(int number)
    {
        for (var divisor = 2; divisor * divisor <= number; divisor++)
        {
            if (number % divisor == 0)
            {
                return false;
            }
        }

        return true;
    }

    // The cube root of p * 2^96 is that of p, times 2^32: exact, as floating-point numbers would not be.
    private static uint CubeRootFraction(int prime)
    {
        var wanted = new BigInteger(prime) << 96;
        var (low, high) = (BigInteger.Zero, new BigInteger(8) << 32);
        while (high - low > 1)
        {
            var middle = (low + high) >> 1;
            (low, high) = BigInteger.Pow(middle, 3) <= wanted ? (middle, high) : (low, middle);
        }

        return (uint)(low & uint.MaxValue);
    }
}
