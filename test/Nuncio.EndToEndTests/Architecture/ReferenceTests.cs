using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Architecture;

/// <summary>The built assemblies refer to each other as the table in ARCHITECTURE.md allows, and no further.</summary>
public class ReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Nuncio.Xds.Protos"] = [],
        ["Nuncio.Resources"] = [],
        ["Nuncio.Grpc"] = [],
        ["Nuncio.Xds"] = ["Nuncio.Xds.Protos"],
        ["Nuncio.Sources"] = ["Nuncio.Resources"],
        ["Nuncio.Compiler"] = ["Nuncio.Resources", "Nuncio.Xds", "Nuncio.Xds.Protos"],
        ["Nuncio.XdsServer"] = ["Nuncio.Xds", "Nuncio.Xds.Protos", "Nuncio.Grpc"],
        ["Nuncio.DataPlane"] = ["Nuncio.Xds", "Nuncio.Xds.Protos", "Nuncio.Grpc"],
        ["Nuncio.Diagnostics"] = ["Nuncio.Xds", "Nuncio.Xds.Protos", "Nuncio.Resources", "Nuncio.Compiler", "Nuncio.DataPlane"],
    };

    private static readonly string[] MayReferToAll = ["Nuncio.Host", "nuncio"];

    [Fact]
    public void Assemblies_ReferToEachOther_AsTheTableAllows()
    {
        var wrong = new List<string>();
        var assemblies = OwnAssemblies().ToArray();
        foreach (var path in assemblies)
        {
            var name = Path.GetFileNameWithoutExtension(path);
            foreach (var reference in References(path).Where(IsOwn))
            {
                if (MayReferToAll.Contains(reference) && name != "nuncio") wrong.Add($"{name} -> {reference}: nothing refers to it");
                else if (!MayReferToAll.Contains(name) && !Allowed[name].Contains(reference)) wrong.Add($"{name} -> {reference}");
            }
        }

        assemblies.Length.ShouldBeGreaterThan(5);
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Projects_InSourceFolder_AreAllInTheTable()
    {
        var projects = Directory.GetDirectories(Path.Combine(TestPaths.Repository, "src")).Select(folder => Path.GetFileName(folder)!);

        projects.Except(Allowed.Keys).Except(["Nuncio.Host", "Nuncio.Cli"]).ShouldBeEmpty();
    }

    private static IEnumerable<string> OwnAssemblies() => Directory.GetFiles(AppContext.BaseDirectory, "*.dll")
        .Where(path => IsOwn(Path.GetFileNameWithoutExtension(path)));

    private static bool IsOwn(string name) =>
        name == "nuncio"
        || (name.StartsWith("Nuncio.", StringComparison.Ordinal) && !name.EndsWith("Tests", StringComparison.Ordinal) && name != "Nuncio.Testing");

    private static List<string> References(string path)
    {
        using var reader = new PEReader(File.OpenRead(path));
        var metadata = reader.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }
}
