using System.Globalization;

namespace Nuncio.Testing.Fuzzing;

/// <summary>
/// How much random input a run gets: NUNCIO_FUZZ_INPUTS says how many inputs (each test has a small default), NUNCIO_FUZZ_SEED where the random numbers
/// start. A failure names the seed of its input, so that NUNCIO_FUZZ_SEED=that NUNCIO_FUZZ_INPUTS=1 shows it again.
/// </summary>
public static class FuzzSettings
{
    /// <summary>How many inputs.</summary>
    public static int Inputs(int otherwise) => Read("NUNCIO_FUZZ_INPUTS", otherwise);

    /// <summary>The seed of the first input; the next ones count up.</summary>
    public static int Seed => Read("NUNCIO_FUZZ_SEED", 1);

    private static int Read(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
