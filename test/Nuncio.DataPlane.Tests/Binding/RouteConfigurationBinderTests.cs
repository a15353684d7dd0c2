using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Tests.Binding;

public class RouteConfigurationBinderTests
{
    [Fact]
    public void Bind_OneChangedRoute_KeepsTheModelsOfAllOthers()
    {
        var binder = new RouteConfigurationBinder(new HttpFilterCatalog([]));
        var first = Routes(Enumerable.Range(0, 50).Select(i => Route($"/{i}/")));
        var before = binder.Bind(first, "", new BindErrors())!;
        var host = new RouteV3.VirtualHost { Name = "host", Domains = { "*" } };
        host.Routes.AddRange(first.VirtualHosts[0].Routes.Select((route, i) => i == 7 ? Route("/new/") : route));
        var second = new RouteV3.RouteConfiguration { Name = "r", VirtualHosts = { host } };

        var after = binder.Bind(second, "", new BindErrors())!;

        for (var i = 0; i < 50; i++)
        {
            ReferenceEquals(after.VirtualHosts[0].Routes[i], before.VirtualHosts[0].Routes[i]).ShouldBe(i != 7);
        }
    }

    [Fact]
    public void Bind_BadFields_AreErrorsWithTheirPaths()
    {
        var routes = Routes([Route("/"), new RouteV3.Route
        {
            Match = new RouteV3.RouteMatch { SafeRegex = new MatcherV3.RegexMatcher { Regex = "(" } },
            Route_ = new RouteV3.RouteAction { Cluster = "c", Timeout = new Google.Protobuf.WellKnownTypes.Duration { Seconds = -1 } },
            RequestHeadersToRemove = { "host" },
        }]);
        var errors = new BindErrors();

        new RouteConfigurationBinder(new HttpFilterCatalog([])).Bind(routes, "rc", errors).ShouldBeNull();

        errors.All.Select(error => error.FieldPath).ShouldContain("rc.virtual_hosts[0].routes[1].match.safe_regex.regex");
        errors.All.Select(error => error.FieldPath).ShouldContain("rc.virtual_hosts[0].routes[1].route.timeout");
    }

    [Fact]
    public void Bind_WhereRoutesAreRefusedAlone_OnlyTheFaultyAnswersAnError()
    {
        var faulty = Route("/faulty/");
        faulty.Route_.Timeout = new Google.Protobuf.WellKnownTypes.Duration { Seconds = -1 };
        var binder = new RouteConfigurationBinder(new HttpFilterCatalog([])) { RefusesRoutesAlone = true };
        var errors = new BindErrors();

        var routes = binder.Bind(Routes([faulty, Route("/")]), "rc", errors)!.VirtualHosts[0].Routes;

        routes.Count.ShouldBe(2);
        routes[0].Match.Literal.ShouldBe("/faulty/"u8.ToArray());
        routes[0].Action.ShouldBeOfType<DirectResponseModel>().Status.ShouldBe(500);
        routes[1].Action.ShouldBeOfType<ForwardModel>();
        errors.Any.ShouldBeFalse();
        errors.Isolated.Select(error => error.FieldPath).ShouldBe(["rc.virtual_hosts[0].routes[0].route.timeout"]);
    }

    [Fact]
    public void Bind_WhereACondition_CannotBeBound_NoWiderRouteGetsItsRequests()
    {
        var hopeless = Route("/");
        hopeless.Match = new RouteV3.RouteMatch { SafeRegex = new MatcherV3.RegexMatcher { Regex = "(" } };
        var binder = new RouteConfigurationBinder(new HttpFilterCatalog([])) { RefusesRoutesAlone = true };
        var errors = new BindErrors();

        binder.Bind(Routes([hopeless, Route("/")]), "", errors).ShouldBeNull();

        errors.Any.ShouldBeTrue();
    }

    [Fact]
    public void Bind_DomainTwice_IsRefused()
    {
        var routes = Routes([Route("/")]);
        routes.VirtualHosts.Add(new RouteV3.VirtualHost { Name = "other", Domains = { "*" } });
        var errors = new BindErrors();

        new RouteConfigurationBinder(new HttpFilterCatalog([])).Bind(routes, "", errors).ShouldBeNull();

        errors.All.ShouldContain(error => error.FieldPath == "virtual_hosts[1].domains[0]");
    }

    private static RouteV3.RouteConfiguration Routes(IEnumerable<RouteV3.Route> routes)
    {
        var host = new RouteV3.VirtualHost { Name = "host", Domains = { "*" } };
        host.Routes.AddRange(routes);
        return new RouteV3.RouteConfiguration { Name = "r", VirtualHosts = { host } };
    }

    private static RouteV3.Route Route(string prefix) =>
        new() { Match = new RouteV3.RouteMatch { Prefix = prefix }, Route_ = new RouteV3.RouteAction { Cluster = "c" } };
}
