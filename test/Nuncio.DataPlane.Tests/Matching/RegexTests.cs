using System.Text;
using Nuncio.DataPlane.Matching;

namespace Nuncio.DataPlane.Tests.Matching;

public class RegexTests
{
    [Theory]
    [InlineData("/foo/.*", "/foo/bar", true)]
    [InlineData("/foo", "/foo/", false)]
    [InlineData("^/foo$", "/foo", true)]
    [InlineData("/foo$", "/foo\n", false)]
    [InlineData("a|ab", "ab", true)]
    [InlineData(@"\d{3}", "123", true)]
    [InlineData(@"\d+", "\u0663", false)]
    [InlineData(@"[\D]+", "abc", true)]
    [InlineData(@"[\D]+", "a1", false)]
    [InlineData(@"[[:alpha:]_]+", "ab_", true)]
    [InlineData(@"[^[:space:]]+", "a b", false)]
    [InlineData(@"\Qa.b\E", "a.b", true)]
    [InlineData(@"\Qa.b\E", "axb", false)]
    [InlineData("(?i)/FOO", "/foo", true)]
    [InlineData("/(?P<name>[a-z]+)/x", "/abc/x", true)]
    [InlineData(@"\x41\x{42}\103", "ABC", true)]
    [InlineData(@"[a\-z]", "-", true)]
    [InlineData(@"[a-c-]+", "a-c", true)]
    [InlineData(@"[]a]+", "]a", true)]
    [InlineData(@"\pL+", "abc", true)]
    [InlineData("(?s).+", "a\nb", true)]
    [InlineData(".+", "a\nb", false)]
    [InlineData("a{2,3}", "aaaa", false)]
    [InlineData("a{,3}", "a{,3}", true)]
    [InlineData("(?U)a+", "aaa", true)]
    public void IsMatch_Re2Syntax_MeansWhatRe2Means(string pattern, string text, bool matches)
    {
        var regex = RegexPattern.TryCreate(pattern, out var error);

        error.ShouldBe("");
        regex!.IsMatch(Encoding.UTF8.GetBytes(text)).ShouldBe(matches);
    }

    [Theory]
    [InlineData("")]
    [InlineData("(")]
    [InlineData(")")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a**")]
    [InlineData("(?=a)")]
    [InlineData("(?<!a)b")]
    [InlineData(@"(a)\1")]
    [InlineData(@"\C")]
    [InlineData(@"\Z")]
    [InlineData("a{1001}")]
    [InlineData("a{3,2}")]
    [InlineData("[b-a]")]
    [InlineData(@"a\")]
    [InlineData("(?>a)")]
    public void TryCreate_NotRe2_IsRefusedWithAReason(string pattern)
    {
        RegexPattern.TryCreate(pattern, out var error).ShouldBeNull();
        error.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("/foo/[0-9]+", "/foo/")]
    [InlineData("^/foo", "/foo")]
    [InlineData("/foo*", "/fo")]
    [InlineData("/foo+", "/foo")]
    [InlineData("/a|/b", "")]
    [InlineData("/(a|b)", "/")]
    [InlineData(@"/a\.b/.*", "/a.b/")]
    [InlineData("(?i)/a", "")]
    [InlineData("/a{2}", "/")]
    public void LiteralPrefix_Patterns_IsNeverTooLong(string pattern, string prefix) => Re2Syntax.LiteralPrefix(pattern).ShouldBe(prefix);

    [Theory]
    [InlineData("^/service/([^/]+)(/.*)$", @"\2/instance/\1", "/service/foo/v1/api", "/v1/api/instance/foo")]
    [InlineData("one", "two", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/two/zzz")]
    [InlineData("(?i)/xxx/", "/yyy/", "/aaa/XxX/bbb", "/aaa/yyy/bbb")]
    [InlineData("a*", "x", "baac", "xbxcx")]
    [InlineData("(a)(b)?", @"[\0|\1|\2]", "ab-a", "[ab|a|b]-[a|a|]")]
    [InlineData("b", @"\\", "abc", @"a\c")]
    [InlineData("a", @"x\1", "banana", "banana")]
    public void Replace_Patterns_AsRe2GlobalReplace(string pattern, string substitution, string text, string expected)
    {
        var rewrite = RegexRewrite.TryCreate(pattern, substitution, out var error);

        error.ShouldBe("");
        rewrite!.Replace(text).ShouldBe(expected);
    }

    [Theory]
    [InlineData(@"\x")]
    [InlineData(@"a\")]
    public void RegexRewrite_BadSubstitution_IsRefused(string substitution) => RegexRewrite.TryCreate("a", substitution, out _).ShouldBeNull();
}
