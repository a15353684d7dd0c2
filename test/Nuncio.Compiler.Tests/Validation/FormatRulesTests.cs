using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Tests.Validation;

// What Envoy 1.40 says of each is what is asserted here.
public class FormatRulesTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("")]
    [InlineData("100%%")]
    [InlineData("%REQ(X?Y):10%")]
    [InlineData("%START_TIME(%s)%")]
    [InlineData("%DYNAMIC_METADATA([\"a\",\"b\"])%")]
    [InlineData("%DOWNSTREAM_REMOTE_ADDRESS%-%PROTOCOL%")]
    public void Problem_WhatEnvoyTakes_IsNull(string text) => FormatRules.Problem(text).ShouldBeNull();

    [Theory]
    [InlineData("100%")]
    [InlineData("50% off 20%")]
    [InlineData("%FOO%")]
    [InlineData("%PROTOCOL")]
    [InlineData("%REQ%")]
    [InlineData("%REQ()%")]
    [InlineData("%lower%")]
    [InlineData("a\nb")]
    public void Problem_WhatEnvoyRefuses_IsNot(string text) => FormatRules.Problem(text).ShouldNotBeNull();

    [Theory]
    [InlineData("x-added", true)]
    [InlineData("host", false)]
    [InlineData("Host", false)]
    [InlineData(":path", false)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    public void IsModifiable_Name_AsEnvoy(string name, bool expected) => HeaderRules.IsModifiable(name).ShouldBe(expected);
}
