using System.Reflection;
using System.Text.RegularExpressions;
using Nuncio.Resources.Findings;
using Nuncio.Testing;

namespace Nuncio.Resources.Tests;

public sealed partial class FindingCodesTests
{
    [Fact]
    public void Codes_AllOfThem_HaveARowInTheDocumentation()
    {
        var documented = Row().Matches(
            File.ReadAllText(Path.Combine(TestPaths.Repository, "docs", "findings.md"))).Select(match => match.Groups[1].Value).ToArray();

        documented.ShouldBe(Codes(), ignoreOrder: true);
        documented.ShouldBe(documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Codes_AllOfThem_AreLowerCaseWithDashes()
    {
        foreach (var code in Codes())
            code.ShouldMatch("^[a-z0-9]+(-[a-z0-9]+)*$");
    }

    private static string[] Codes() =>
        [.. typeof(FindingCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!)];

    [GeneratedRegex(@"^\| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
