using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.Resources;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Reading;
using Nuncio.Resources.Snapshots;
using Nuncio.Sources.Files;
using Nuncio.Testing;

namespace Nuncio.Sources.Tests.Files;

/// <summary>A file source and the builder behind it, on real files.</summary>
public sealed class FileSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _stop = new(Until.Limit);

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Run_FilesBelowAFolder_AreReadAtAnyDepth()
    {
        _folder.Write("a.yaml", Mapping("a", "/a/"));
        _folder.Write("sub/deep/b.yml", Mapping("b", "/b/"));
        _folder.Write("notes.txt", "not a manifest");
        _folder.Write(".hidden/c.yaml", Mapping("c", "/c/"));

        var snapshots = Start(_folder.Path);

        (await NextAsync(snapshots, _ => true)).Mappings.Select(m => m.Name).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task Run_LinksThatLeadInCircles_CountEachFolderOnce()
    {
        _folder.Write("one/a.yaml", Mapping("a", "/a/"));
        _folder.Write("two/b.yaml", Mapping("b", "/b/"));
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "loop"), ".");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "one", "across"), "../two");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "two", "across"), "../one");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "two", "up"), "..");

        var snapshot = await NextAsync(Start(_folder.Path), _ => true);

        snapshot.Mappings.Select(m => m.Name).ShouldBe(["a", "b"]);
        snapshot.Mappings.Select(m => m.Location!.File).ShouldBe([Path.Combine(_folder.Path, "one", "a.yaml"), Path.Combine(_folder.Path, "two", "b.yaml")]);
    }

    [Fact]
    public async Task Run_LinkToAFolderElsewhere_IsFollowed()
    {
        using var elsewhere = new TemporaryFolder();
        elsewhere.Write("sub/a.yaml", Mapping("a", "/a/"));
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "link"), elsewhere.Path);

        (await NextAsync(Start(_folder.Path), _ => true)).Mappings.Select(m => m.Name).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Run_ChangedFile_GivesASnapshotThatKeepsTheOtherObjects()
    {
        _folder.Write("a.yaml", Mapping("a", "/a/"));
        _folder.Write("b.yaml", Mapping("b", "/b/") + "---\n" + Mapping("c", "/c/"));
        var snapshots = Start(_folder.Path);
        var first = await NextAsync(snapshots, _ => true);

        _folder.Write("b.yaml", Mapping("b", "/changed/") + "---\n" + Mapping("c", "/c/"));

        var second = await NextAsync(snapshots, s => s.Mappings.Length == 3 && s.Mappings[1].Spec.Prefix == "/changed/");
        second.Revision.ShouldBeGreaterThan(first.Revision);
        second.Mappings[0].ShouldBeSameAs(first.Mappings[0]);
        second.Mappings[2].ShouldBeSameAs(first.Mappings[2]);
    }

    [Theory]
    [InlineData("kind: [half")]
    [InlineData("")]
    public async Task Run_BrokenFile_KeepsItsLastGoodContentAndSaysSo(string content)
    {
        _folder.Write("a.yaml", Mapping("a", "/a/"));
        var snapshots = Start(_folder.Path);
        await NextAsync(snapshots, _ => true);

        _folder.Write("a.yaml", content);
        var broken = await NextAsync(snapshots, s => Has(s, FindingCodes.LastGoodContentKept));
        broken.Mappings.ShouldHaveSingleItem().Spec.Prefix.ShouldBe("/a/");

        _folder.Write("a.yaml", Mapping("a", "/mended/"));
        var mended = await NextAsync(snapshots, s => !Has(s, FindingCodes.LastGoodContentKept));
        mended.Mappings.ShouldHaveSingleItem().Spec.Prefix.ShouldBe("/mended/");
    }

    [Fact]
    public async Task Run_ObjectThatBecomesInvalid_KeepsItsLastValidForm()
    {
        _folder.Write("a.yaml", Mapping("a", "/a/"));
        var snapshots = Start(_folder.Path);
        await NextAsync(snapshots, _ => true);

        _folder.Write("a.yaml", Mapping("a", "5"));

        var kept = await NextAsync(snapshots, s => Has(s, FindingCodes.WrongType));
        kept.Mappings.ShouldHaveSingleItem().Spec.Prefix.ShouldBe("/a/");
        kept.Invalid.ShouldBeEmpty();
    }

    [Fact]
    public async Task Run_FileReplacedByRename_IsReadAnew()
    {
        var file = _folder.Write("a.yaml", Mapping("a", "/a/"));
        var snapshots = Start(_folder.Path);
        await NextAsync(snapshots, _ => true);

        File.Move(_folder.Write("a.tmp", Mapping("a", "/renamed/")), file, overwrite: true);

        await NextAsync(snapshots, s => s.Mappings is [{ Spec.Prefix: "/renamed/" }]);
    }

    [Fact]
    public async Task Run_DeletedAndNewFiles_ChangeWhatThereIs()
    {
        var file = _folder.Write("a.yaml", Mapping("a", "/a/"));
        var snapshots = Start(_folder.Path);
        await NextAsync(snapshots, _ => true);

        _folder.Write("new/folder/b.yaml", Mapping("b", "/b/"));
        await NextAsync(snapshots, s => s.Mappings.Length == 2);
        File.Delete(file);
        await NextAsync(snapshots, s => s.Mappings is [{ Name: "b" }]);
    }

    [Fact]
    public async Task Run_MountedConfigMap_FollowsTheSwappedLink()
    {
        _folder.Write("..v1/a.yaml", Mapping("a", "/one/"));
        _folder.Write("..v2/a.yaml", Mapping("a", "/two/"));
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "..data"), "..v1");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "a.yaml"), "..data/a.yaml");
        var snapshots = Start(_folder.Path);
        (await NextAsync(snapshots, _ => true)).Mappings.ShouldHaveSingleItem().Spec.Prefix.ShouldBe("/one/");

        // As the kubelet does it: a new link, renamed over the old one.
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "..data_tmp"), "..v2");
        using var rename = Process.Start("mv", ["-T", Path.Combine(_folder.Path, "..data_tmp"), Path.Combine(_folder.Path, "..data")]);
        await rename.WaitForExitAsync(_stop.Token);

        await NextAsync(snapshots, s => s.Mappings is [{ Spec.Prefix: "/two/" }]);
    }

    [Fact]
    public async Task Run_MissingPath_IsAFindingUntilItAppears()
    {
        var path = Path.Combine(_folder.Path, "later.yaml");
        var snapshots = Start(path);
        (await NextAsync(snapshots, _ => true)).Findings.ShouldHaveSingleItem().Code.ShouldBe(FindingCodes.PathNotFound);

        _folder.Write("later.yaml", Mapping("a", "/a/"));

        (await NextAsync(snapshots, s => s.Mappings.Length == 1)).Findings.ShouldBeEmpty();
    }

    private static bool Has(ResourceSnapshot snapshot, string code) => snapshot.Findings.Any(finding => finding.Code == code);

    private static string Mapping(string name, string prefix) =>
        $"apiVersion: getambassador.io/v3alpha1\nkind: {MappingResource.KindName}\nmetadata:\n  name: {name}\nspec:\n  prefix: {prefix}\n  service: s\n";

    private async Task<ResourceSnapshot> NextAsync(ChannelReader<ResourceSnapshot> snapshots, Func<ResourceSnapshot, bool> condition)
    {
        while (true)
        {
            var snapshot = await snapshots.ReadAsync(_stop.Token);
            if (condition(snapshot))
                return snapshot;
        }
    }

    private ChannelReader<ResourceSnapshot> Start(string path)
    {
        var published = Channel.CreateUnbounded<ResourceSnapshot>();
        var source = new FileSource([path], new ManifestReader(), FileSourceOptions.Default, TimeProvider.System, NullLogger<FileSource>.Instance);
        var builder = new SnapshotBuilder([source], SnapshotOptions.Default, TimeProvider.System, NullLogger<SnapshotBuilder>.Instance);
        _ = builder.RunAsync((snapshot, token) => published.Writer.WriteAsync(snapshot, token), _stop.Token);
        return published.Reader;
    }
}
