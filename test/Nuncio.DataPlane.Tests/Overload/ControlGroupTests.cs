using Nuncio.DataPlane.Overload;
using Nuncio.Testing;

namespace Nuncio.DataPlane.Tests.Overload;

public sealed class ControlGroupTests
{
    [Theory]
    [InlineData("0::/pod/container", "pod/container/memory.max=268435456", 268435456L)]
    [InlineData("0::/pod/container", "pod/container/memory.max=max pod/memory.max=1073741824", 1073741824L)]
    [InlineData("0::/pod/container", "pod/container/memory.max=268435456 pod/memory.max=134217728", 134217728L)]
    [InlineData("0::/", "memory.max=268435456", 268435456L)]
    [InlineData("0::/../elsewhere", "memory.max=268435456", 268435456L)]
    [InlineData("0::/", "memory.max=max", null)]
    [InlineData("7:cpu:/c 4:memory:/a/b 0::/", "memory/a/b/memory.limit_in_bytes=268435456 memory/memory.limit_in_bytes=9223372036854771712", 268435456L)]
    [InlineData("4:memory:/docker/1", "memory/memory.limit_in_bytes=268435456", 268435456L)]
    [InlineData("4:cpu,memory:/a", "memory/a/memory.limit_in_bytes=9223372036854771712", null)]
    [InlineData("", "", null)]
    public void MemoryLimit_OfTheGroupAndThoseAbove_IsTheSmallest(string own, string files, long? expected)
    {
        using var root = new TemporaryFolder();
        Write("proc/self/cgroup", own.Replace(' ', '\n'));
        foreach (var file in files.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = file.IndexOf('=', StringComparison.Ordinal);
            Write("sys/fs/cgroup/" + file[..at], file[(at + 1)..] + "\n");
        }

        ControlGroup.MemoryLimit(root.Path).ShouldBe(expected);

        void Write(string name, string text)
        {
            var path = Path.Combine(root.Path, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }
    }
}
