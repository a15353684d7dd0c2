namespace Nuncio.Testing.Fuzzing;

/// <summary>Changes bytes at random: a flipped bit, a byte of interest, a piece taken out, doubled, moved, cut off.</summary>
public static class Mutations
{
    private static readonly byte[] Interesting = [0, 1, 9, 10, 13, 32, 34, 39, 44, 45, 47, 48, 57, 58, 59, 92, 123, 127, 128, 255];

    /// <summary>A changed copy; one to <paramref name="most"/> changes.</summary>
    public static byte[] Apply(Random random, ReadOnlySpan<byte> input, int most)
    {
        ArgumentNullException.ThrowIfNull(random);
        var bytes = new List<byte>(input.ToArray());
        for (var changes = random.Next(1, most + 1); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(bytes.Count - at, random.Next(1, random.Next(4) == 0 ? 64 : 8));
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = Interesting[random.Next(Interesting.Length)];
                    break;
                case 2:
                    bytes.Insert(at, Interesting[random.Next(Interesting.Length)]);
                    break;
                case 3:
                    bytes.RemoveRange(at, length);
                    break;
                case 4:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                case 5:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 6:
                    var piece = bytes.GetRange(at, length);
                    bytes.RemoveRange(at, length);
                    bytes.InsertRange(random.Next(bytes.Count + 1), piece);
                    break;
                default:
                    if (random.Next(4) == 0) bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }
}
