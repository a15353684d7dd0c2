using Xunit;

namespace Nuncio.Testing;

/// <summary>Where tests find what is not in their own project. What is missing skips the test that asks, and the skip says what is missing.</summary>
public static class TestPaths
{
    /// <summary>The folder with Nuncio.slnx.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>
    /// The folder of recorded cases that the variable NUNCIO_ORACLE names (with <c>dev</c>, <c>crashers</c> and <c>behaviour</c> in it); skips the test
    /// where it is not set. A SkippableFact must ask.
    /// </summary>
    public static string RequireOracle()
    {
        var folder = Environment.GetEnvironmentVariable("NUNCIO_ORACLE");
        Skip.If(string.IsNullOrEmpty(folder), "NUNCIO_ORACLE is not set");
        // A variable that points nowhere is a mistake, not a missing program.
        return Directory.Exists(folder) ? folder! : throw new DirectoryNotFoundException($"NUNCIO_ORACLE names {folder}, which is not there");
    }

    /// <summary>
    /// The path of a program, from the folder that NUNCIO_TEST_BIN names or from PATH; skips the test where there is none. A SkippableFact must ask.
    /// </summary>
    public static string RequireProgram(string name)
    {
        var path = FindProgram(name);
        Skip.If(path is null, $"the program {name} is missing");
        return path!;
    }

    /// <summary>The path of a program, from the folder that NUNCIO_TEST_BIN names or from PATH, or null.</summary>
    public static string? FindProgram(string name)
    {
        var own = Environment.GetEnvironmentVariable("NUNCIO_TEST_BIN");
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        foreach (var folder in string.IsNullOrEmpty(own) ? folders : [own, .. folders, "/usr/sbin"])
        {
            if (folder.Length > 0 && File.Exists(Path.Combine(folder, name))) return Path.Combine(folder, name);
        }

        return null;
    }

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Nuncio.slnx"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException("Nuncio.slnx is in no folder above the tests");
    }
}
