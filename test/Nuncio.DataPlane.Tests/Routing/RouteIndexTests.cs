using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Routing;

namespace Nuncio.DataPlane.Tests.Routing;

public class RouteIndexTests
{
    private static readonly string[] Segments = ["a", "b", "ab", "A", "api", "v1", "x-y", ""];
    private static readonly string[] Hosts = ["a.example.com", "b.example.com", "example.com", "x.org", "deep.a.example.com"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Find_RandomTables_AgreesWithComparingOneByOne(int seed)
    {
        var random = new Random(seed);
        for (var table = 0; table < 60; table++)
        {
            var routes = new RouteModel[random.Next(1, 120)];
            for (var i = 0; i < routes.Length; i++)
            {
                routes[i] = Route(RandomMatch(random), i);
            }

            var index = new RouteIndex(routes);
            for (var request = 0; request < 60; request++)
            {
                var headers = Headers(
                    RandomPath(random) + (random.Next(3) == 0 ? "?q=1" : ""), Hosts[random.Next(Hosts.Length)], random.Next(2) == 0 ? "https" : "http");
                var input = new RouteInput(headers, null, (ulong)random.Next(100));
                RouteModel? expected = null;
                foreach (var route in routes)
                {
                    if (RouteConditions.Hold(route.Match, input))
                    {
                        expected = route;
                        break;
                    }
                }

                index.Find(input)?.Name.ShouldBe(expected?.Name);
                (index.Find(input) is null).ShouldBe(expected is null);
            }
        }
    }

    [Fact]
    public void Find_ManyRoutesOfOnePath_TellsThemApartByHost()
    {
        var routes = Enumerable.Range(0, 500)
            .Select(i => Route(new RouteMatchModel
            {
                Kind = PathMatchKind.Prefix,
                Literal = "/"u8.ToArray(),
                Headers = [new HeaderMatcher(
                    ":authority", new StringMatcher(i % 2 == 0 ? StringMatchKind.Exact : StringMatchKind.Suffix, $"h{i}.example", ignoreCase: false))],
            }, i)).Append(Route(new RouteMatchModel { Kind = PathMatchKind.Prefix, Literal = "/"u8.ToArray() }, 500)).ToArray();
        var index = new RouteIndex(routes);

        index.Find(new RouteInput(Headers("/x", "h400.example", "http"), null, 0))!.Name.ShouldBe("400");
        index.Find(new RouteInput(Headers("/x", "sub.h401.example", "http"), null, 0))!.Name.ShouldBe("401");
        index.Find(new RouteInput(Headers("/x", "sub.h400.example", "http"), null, 0))!.Name.ShouldBe("500");
    }

    [Fact]
    public void FirstFailure_HeaderDiffers_NamesTheHeader()
    {
        var match = new RouteMatchModel
        {
            Kind = PathMatchKind.Prefix,
            Literal = "/"u8.ToArray(),
            Headers = [new HeaderMatcher("x-env", new StringMatcher(StringMatchKind.Exact, "prod", ignoreCase: false))],
        };

        RouteConditions.FirstFailure(match, new RouteInput(Headers("/", "x", "http"), null, 0)).ShouldBe("header x-env exact \"prod\"");
    }

    internal static RouteModel Route(RouteMatchModel match, int position) => new()
    {
        Name = position.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Match = match,
        Action = new NonForwardingModel(),
        RequestHeaders = HeaderMutationsModel.None,
        ResponseHeaders = HeaderMutationsModel.None,
        FilterConfigs = FilterConfigMap.Empty,
        Message = new RouteV3.Route(),
    };

    private static RouteMatchModel RandomMatch(Random random)
    {
        var path = RandomPath(random);
        var headers = new List<HeaderMatcher>();
        if (random.Next(3) == 0)
        {
            headers.Add(new HeaderMatcher(":authority", random.Next(3) switch
            {
                0 => new StringMatcher(StringMatchKind.Suffix, ".example.com", ignoreCase: false),
                1 => new StringMatcher(StringMatchKind.Prefix, "a", ignoreCase: false),
                _ => new StringMatcher(StringMatchKind.Exact, Hosts[random.Next(Hosts.Length)], ignoreCase: false),
            }));
        }

        if (random.Next(3) == 0)
        {
            headers.Add(new HeaderMatcher("x-forwarded-proto", new StringMatcher(StringMatchKind.Exact, "https", ignoreCase: false)));
        }

        var kind = (PathMatchKind)random.Next(4);
        return new RouteMatchModel
        {
            Kind = kind,
            Literal = kind == PathMatchKind.Regex ? [] : Encoding.ASCII.GetBytes(path),
            Regex = kind == PathMatchKind.Regex ? RegexPattern.TryCreate(random.Next(2) == 0 ? path + ".*" : "/[a-z]+/(v1|b)?", out _) : null,
            CaseSensitive = random.Next(4) != 0,
            Fraction = random.Next(5) == 0 ? new RuntimeFraction((uint)random.Next(100), 100) : RuntimeFraction.Always,
            Headers = [.. headers],
        };
    }

    private static string RandomPath(Random random)
    {
        var path = "";
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            path += "/" + Segments[random.Next(Segments.Length)];
        }

        return path;
    }

    internal static HeaderMap Headers(string path, string host, string proto)
    {
        var headers = new HeaderMap();
        headers.Add(KnownHeader.Method, "GET"u8);
        headers.Add(KnownHeader.Path, Encoding.ASCII.GetBytes(path));
        headers.Add(KnownHeader.Authority, Encoding.ASCII.GetBytes(host));
        headers.Add(KnownHeader.Scheme, Encoding.ASCII.GetBytes(proto));
        headers.Add(KnownHeader.XForwardedProto, Encoding.ASCII.GetBytes(proto));
        return headers;
    }
}
