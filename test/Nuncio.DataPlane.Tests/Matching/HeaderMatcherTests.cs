using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Matching;

namespace Nuncio.DataPlane.Tests.Matching;

/// <summary>Recorded on Envoy 1.40: each letter is the answer for one of <see cref="Requests"/>.</summary>
public sealed class HeaderMatcherTests
{
    private static readonly string[][] Requests = [[], ["1"], ["2"], ["1", "2"], ["2", "1"], ["2", "3"], ["1,2"], ["", ""], ["2", "1", "3"], ["1", "1"]];

    [Theory]
    [InlineData("exact", "1", false, false, "nYnYYnnnYY")]
    [InlineData("prefix", "1", false, false, "nYnYYnYnYY")]
    [InlineData("suffix", "1", false, false, "nYnYYnnnYY")]
    [InlineData("contains", "1", false, false, "nYnYYnYnYY")]
    [InlineData("regex", "1", false, false, "nYnYYnnnYY")]
    [InlineData("regex", "1,2", false, false, "nnnnnnYnnn")]
    [InlineData("exact", "1,2", false, false, "nnnnnnYnnn")]
    [InlineData("range", "1", false, false, "nYnYYnnnYY")]
    [InlineData("present", "", false, false, "nYYYYYYYYY")]
    [InlineData("absent", "", false, false, "Ynnnnnnnnn")]
    [InlineData("exact", "", false, true, "YnnnnnnYnn")]
    [InlineData("present", "", false, true, "YYYYYYYYYY")]
    [InlineData("absent", "", false, true, "nnnnnnnnnn")]
    [InlineData("exact", "1", true, false, "nnYnnYYYnn")]
    [InlineData("contains", "1", true, false, "nnYnnYnYnn")]
    [InlineData("exact", "1,2", true, false, "nYYYYYnYYY")]
    [InlineData("range", "1", true, false, "nnYnnYYYnn")]
    [InlineData("present", "", true, false, "Ynnnnnnnnn")]
    [InlineData("absent", "", true, false, "nYYYYYYYYY")]
    [InlineData("exact", "1", true, true, "YnYnnYYYnn")]
    [InlineData("regex", "1,2", true, true, "YYYYYYnYYY")]
    [InlineData("present", "", true, true, "nnnnnnnnnn")]
    [InlineData("absent", "", true, true, "YYYYYYYYYY")]
    public void IsMatch_OfSeveralHeadersOfOneName_IsThatOfAnyOne(string kind, string value, bool invert, bool missingIsEmpty, string expected)
    {
        var matcher = Matcher("x-a", kind, value, invert, missingIsEmpty);

        string.Concat(Requests.Select(values => matcher.IsMatch(Headers("x-a", values)) ? 'Y' : 'n')).ShouldBe(expected);
    }

    [Theory]
    [InlineData("accept")]
    [InlineData("authorization")]
    [InlineData("user-agent")]
    [InlineData("x-request-id")]
    [InlineData("x-forwarded-host")]
    [InlineData("cache-control")]
    [InlineData("if-match")]
    public void IsMatch_OfAHeaderThatEnvoyJoins_IsThatOfAllValues(string name)
    {
        Matcher(name, "exact", "1,2", false, false).IsMatch(Headers(name, ["1", "2"])).ShouldBeTrue();
        Matcher(name, "exact", "1", false, false).IsMatch(Headers(name, ["1", "2"])).ShouldBeFalse();
    }

    private static HeaderMatcher Matcher(string name, string kind, string value, bool invert, bool missingIsEmpty) => kind switch
    {
        "range" => HeaderMatcher.InRange(name, 1, 2, invert, missingIsEmpty),
        "present" or "absent" => HeaderMatcher.IsPresent(name, kind == "present", invert, missingIsEmpty),
        "regex" => new HeaderMatcher(name, new StringMatcher(RegexPattern.TryCreate(value, out _)!), invert, missingIsEmpty),
        _ => new HeaderMatcher(name, new StringMatcher(Enum.Parse<StringMatchKind>(kind, ignoreCase: true), value, ignoreCase: false), invert, missingIsEmpty),
    };

    private static HeaderMap Headers(string name, string[] values)
    {
        var headers = new HeaderMap();
        foreach (var value in values)
        {
            headers.Add(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
        }

        return headers;
    }
}
