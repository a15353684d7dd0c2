using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Tests.Collections;

public sealed class ValueCollectionTests
{
    [Fact]
    public void List_SameElements_IsEqual()
    {
        ValueList<string> a = ["x", "y"];
        ValueList<string> b = ["x", "y"];

        a.ShouldBe(b);
        a.Equals((object)b).ShouldBeTrue();
        a.GetHashCode().ShouldBe(b.GetHashCode());
        a.Equals(["y", "x"]).ShouldBeFalse();
        a.Equals(null).ShouldBeFalse();
    }

    [Fact]
    public void Map_Order_IsKeptAndCounts()
    {
        var a = ValueMap.Of(("b", 1), ("a", 2));

        a.Entries.Select(entry => entry.Key).ShouldBe(["b", "a"]);
        a.Equals(ValueMap.Of(("b", 1), ("a", 2))).ShouldBeTrue();
        a.Equals(ValueMap.Of(("a", 2), ("b", 1))).ShouldBeFalse();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    public void Map_AnySize_FindsItsNames(int size)
    {
        var map = ValueMap.Create(Enumerable.Range(0, size).Select(i => KeyValuePair.Create($"n{i}", i)));

        map["n2"].ShouldBe(2);
        map.ContainsKey("N2").ShouldBeFalse();
        map.GetValueOrDefault("missing").ShouldBe(0);
        Should.Throw<KeyNotFoundException>(() => map["missing"]);
    }

    [Fact]
    public void Map_NameTwice_KeepsTheLastValueAtTheFirstPlace() =>
        ValueMap.Of(("a", 1), ("b", 2), ("a", 3)).Entries.ShouldBe([KeyValuePair.Create("a", 3), KeyValuePair.Create("b", 2)]);
}
