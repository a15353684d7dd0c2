using System.Collections.Concurrent;

namespace Nuncio.Compiler.Emitting;

/// <summary>Routes that answer insecure requests of Hosts that reject them.</summary>
internal static class RejectRoutes
{
    private static readonly ConcurrentDictionary<(SecurityModel Model, int Status), Planning.EmittedRoute> Made = new();

    public static Planning.EmittedRoute? Of(SecurityModel model, int status) =>
        model == SecurityModel.Secure || status == 404 ? null : Made.GetOrAdd((model, status), static key => Make(key.Model, key.Status));

    private static Planning.EmittedRoute Make(SecurityModel model, int status)
    {
        var route = new RouteV3.Route
        {
            Name = "reject-insecure",
            Match = new RouteV3.RouteMatch { Prefix = "/" },
            DirectResponse = new RouteV3.DirectResponseAction { Status = (uint)status },
        };
        if (model == SecurityModel.Xfp)
        {
            route.Match.Headers.Add(new RouteV3.HeaderMatcher
            {
                Name = "x-forwarded-proto",
                StringMatch = new MatcherV3.StringMatcher { Exact = "https" },
                InvertMatch = true,
            });
        }

        return Planning.EmittedRoute.Of(route);
    }
}
