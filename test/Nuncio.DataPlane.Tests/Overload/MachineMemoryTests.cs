using Nuncio.DataPlane.Overload;
using Nuncio.Testing;

namespace Nuncio.DataPlane.Tests.Overload;

public sealed class MachineMemoryTests
{
    [Theory]
    [InlineData("MemTotal:       24683660 kB\nMemFree:        100 kB\n", 24683660L * 1024)]
    [InlineData("MemFree:        100 kB\nMemTotal: 1 kB\n", 1024L)]
    [InlineData("MemFree:        100 kB\n", null)]
    [InlineData("MemTotal:       many kB\n", null)]
    [InlineData("MemTotal:       0 kB\n", null)]
    [InlineData("MemTotal:       9223372036854775807 kB\n", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Total_IsWhatTheSystemSays(string? text, long? expected)
    {
        using var root = new TemporaryFolder();
        if (text is not null)
        {
            Directory.CreateDirectory(Path.Combine(root.Path, "proc"));
            File.WriteAllText(Path.Combine(root.Path, "proc/meminfo"), text);
        }

        MachineMemory.Total(root.Path).ShouldBe(expected);
    }
}
