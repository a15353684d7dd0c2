using System.Collections.Frozen;
using System.Text;
using Envoy.Config.Cluster.V3;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Xds.Tests.Bootstrap;

public class BootstrapReaderTests
{
    [Fact]
    public void Read_WhatTheEmitterWrote_IsTheSameAgain()
    {
        var cluster = new Cluster { Name = "quote", Type = Cluster.Types.DiscoveryType.Static };
        var snapshot = new XdsSnapshot
        {
            Revision = 1,
            Clusters = new Dictionary<string, XdsResource<Cluster>> { ["quote"] = XdsResource<Cluster>.Create("quote", cluster) }
                .ToFrozenDictionary(StringComparer.Ordinal),
        };

        var reading = Read(XdsJson.Format(BootstrapEmitter.Emit(snapshot)));

        reading.Errors.ShouldBeEmpty();
        reading.Snapshot.Clusters["quote"].Message.ShouldBe(cluster);
    }

    [Fact]
    public void Read_AFieldThatIsNotSupported_CostsItsResourceAlone()
    {
        var reading = Read("""
            {"node": {"id": "n"}, "admin": {"nothing": "of ours"}, "static_resources": {
              "clusters": [{"name": "a", "no_such_field": 1}, {"name": "b"}, {"name": "b"}],
              "listeners": [{"address": {}}]}}
            """);

        reading.Snapshot.Clusters.Keys.ShouldBe(["b"]);
        reading.Snapshot.Listeners.Keys.ShouldBe(["static_resources.listeners[0]"]);
        reading.Errors.Select(error => error.FieldPath).ShouldBe(["static_resources.clusters[0].no_such_field", "static_resources.clusters[2].name"]);
    }

    [Fact]
    public void Read_RuntimeLayers_TakesTheLaterValue()
    {
        var reading = Read("""
            {"static_resources": {}, "layered_runtime": {"layers": [
              {"name": "one", "static_layer": {"a": 1, "b": 1}}, {"name": "two", "static_layer": {"b": 2}}]}}
            """);

        reading.Snapshot.Runtime!.Fields["a"].NumberValue.ShouldBe(1);
        reading.Snapshot.Runtime.Fields["b"].NumberValue.ShouldBe(2);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{\"static_resources\": null}")]
    public void Read_WhatIsNoBootstrap_IsAnError(string text)
    {
        var reading = Read(text);

        reading.Errors.Length.ShouldBe(1);
        reading.Snapshot.Listeners.ShouldBeEmpty();
    }

    private static BootstrapReading Read(string text) => BootstrapReader.Read(Encoding.UTF8.GetBytes(text), revision: 1);
}
