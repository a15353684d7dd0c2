using System.Collections.Frozen;
using Envoy.Config.Cluster.V3;

namespace Nuncio.Xds.Tests;

public class XdsSnapshotDiffTests
{
    [Fact]
    public void Between_Snapshots_ListsByVersionInOrderOfNames()
    {
        var from = Snapshot(new Cluster { Name = "kept" }, new Cluster { Name = "gone" }, new Cluster { Name = "changed" });
        var changed = new Cluster { Name = "changed", RespectDnsTtl = true };
        var to = Snapshot(new Cluster { Name = "z-new" }, new Cluster { Name = "kept" }, new Cluster { Name = "a-new" }, changed);

        var diff = XdsSnapshotDiff.Between(from, to);

        diff.Clusters.Added.Select(c => c.Name).ShouldBe(["a-new", "z-new"]);
        diff.Clusters.Changed.Single().ShouldBeSameAs(to.Clusters["changed"]);
        diff.Clusters.Removed.ShouldBe(["gone"]);
        diff.IsEmpty.ShouldBeFalse();
        diff.Listeners.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void Between_EqualContentInOtherObjects_IsEmpty() =>
        XdsSnapshotDiff.Between(Snapshot(new Cluster { Name = "a" }), Snapshot(new Cluster { Name = "a" })).IsEmpty.ShouldBeTrue();

    private static XdsSnapshot Snapshot(params Cluster[] clusters) => new()
    {
        Revision = 1,
        Clusters = clusters.Select(c => XdsResource<Cluster>.Create(c.Name, c)).ToFrozenDictionary(c => c.Name),
    };
}
