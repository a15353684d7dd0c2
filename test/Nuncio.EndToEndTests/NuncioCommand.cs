using System.Reflection;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests;

/// <summary>The program under test.</summary>
internal static class NuncioCommand
{
    /// <summary>The one that the build of the tests has compiled ahead, see test/ahead; where the tests were moved away from it, the one beside them.</summary>
    public static string Program { get; } = typeof(NuncioCommand).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Where(metadata => metadata.Key == "Nuncio.Program").Select(metadata => metadata.Value).FirstOrDefault(File.Exists)
        ?? Path.Combine(AppContext.BaseDirectory, "nuncio");

    /// <summary>Runs a command to its end.</summary>
    public static Task<TestProcess> RunAsync(params IEnumerable<string> arguments) => TestProcess.RunAsync(Program, arguments, WithoutSettings);

    /// <summary>What the machine that runs the tests may have set, and a test must not depend on.</summary>
    public static IReadOnlyDictionary<string, string?> WithoutSettings { get; } = Environment.GetEnvironmentVariables().Keys.Cast<string>()
        .Where(name => name.StartsWith("AMBASSADOR_", StringComparison.Ordinal) || name.StartsWith("AES_", StringComparison.Ordinal)
            || name is "NUNCIO_MEMORY_LIMIT" or "NUNCIO_MAX_CONNECTIONS" or "NUNCIO_OVERLOAD_PRESSURE_FILE")
        .ToDictionary(name => name, _ => (string?)null);
}
