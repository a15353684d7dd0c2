using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Tests.Validation;

public class Re2SyntaxTests
{
    [Theory]
    [InlineData("/foo/[0-9]+")]
    [InlineData("^/api/(v1|v2)/.*$")]
    [InlineData("(?i)abc(?-i:d)")]
    [InlineData("(?P<name>x)(?<other>y)")]
    [InlineData("\\Q.*\\E\\x{1F600}\\x41\\012\\pL\\p{Greek}\\P{^Lu}")]
    [InlineData("[]a-z\\d[:alpha:]-]")]
    [InlineData("[^-a]{2,}?")]
    [InlineData("a{,2}{")]
    [InlineData("(a*)*")]
    [InlineData("a|")]
    [InlineData("")]
    public void Check_WhatRe2Takes_HasNoProblem(string pattern) => Re2Syntax.Check(pattern, out _).ShouldBeNull();

    [Theory]
    [InlineData("(")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("[z-a]")]
    [InlineData("*a")]
    [InlineData("a**")]
    [InlineData("a{2}{3}")]
    [InlineData("a{1001}")]
    [InlineData("a{3,2}")]
    [InlineData("(?=a)")]
    [InlineData("(?!a)")]
    [InlineData("(?<=a)b")]
    [InlineData("(?>a)")]
    [InlineData("(a)\\1")]
    [InlineData("\\8")]
    [InlineData("\\")]
    [InlineData("\\y")]
    [InlineData("\\Z")]
    [InlineData("\\pX")]
    [InlineData("\\p{Klingon}")]
    [InlineData("[[:nothing:]]")]
    [InlineData("\\x{110000}")]
    [InlineData("(?P<>a)")]
    [InlineData("(?z)a")]
    [InlineData("(?i)*")]
    public void Check_WhatRe2Refuses_HasAProblem(string pattern) => Re2Syntax.Check(pattern, out _).ShouldNotBeNull();

    // The sizes are what Envoy 1.40 says of each pattern.
    [Theory]
    [InlineData("a", 5)]
    [InlineData("abcdefghij", 14)]
    [InlineData("(a|b)", 7)]
    [InlineData("(abc|abd)", 9)]
    [InlineData("(abc|xyz)", 12)]
    [InlineData("[^/]+", 7)]
    [InlineData("/foo/[0-9]+", 11)]
    [InlineData("^abc$", 4)]
    [InlineData("a{2,5}", 12)]
    [InlineData("[a-z]{10}", 14)]
    [InlineData(".{10}", 24)]
    [InlineData("foo|bar|baz", 11)]
    [InlineData("/api/v[0-9]+/.*", 15)]
    [InlineData("^/foo/(bar|baz)/[^/]+$", 14)]
    [InlineData("\\pL+", 12)]
    [InlineData("(.*)foo(.*)", 15)]
    public void Check_Size_IsNearEnvoys(string pattern, int real)
    {
        Re2Syntax.Check(pattern, out var size).ShouldBeNull();
        size.ShouldBeInRange(real - 3, real + 4);
    }

    [Fact]
    public void Problem_ProgramAboveTheLimit_IsRefused()
    {
        RegexRules.Problem("[a-z]{300}", 200).ShouldNotBeNull();
        RegexRules.Problem("[a-z]{300}", 400).ShouldBeNull();
        RegexRules.Problem("", 200).ShouldNotBeNull();
    }

    [Fact]
    public void Check_DeepNesting_EndsWithAProblem() => Re2Syntax.Check(new string('(', 100_000), out _).ShouldNotBeNull();
}
