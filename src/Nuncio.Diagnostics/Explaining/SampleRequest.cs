using Nuncio.Compiler;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>Finds a request that reaches an upstream, so that who has just started a gateway need not make one up.</summary>
public static class SampleRequest
{
    // A sample is a courtesy: what is not among the first routes is not worth a search through ten thousand.
    private const int MaxCandidates = 16;

    /// <summary>A command line of curl, to be typed on the gateway's machine. Null when no route is found that plainly forwards a GET.</summary>
    /// <param name="resources">What was compiled.</param>
    /// <param name="compilation">What was made of it.</param>
    public static string? Find(ResourceSnapshot resources, CompilationResult compilation)
    {
        ArgumentNullException.ThrowIfNull(compilation);
        var explainer = new Explainer(resources, compilation);
        foreach (var candidate in Candidates(compilation).Take(MaxCandidates))
        {
            if (ExplainRequest.Parse(candidate.Url, null, candidate.Headers, out _) is not { } request) continue;

            // A route that nobody wrote, such as a probe's, has no place.
            if (explainer.Explain(request) is { Outcome: ForwardOutcome, Route.Location: not null }) return candidate.Curl;
        }

        return null;
    }

    private static IEnumerable<Candidate> Candidates(CompilationResult compilation) =>
        from resource in compilation.Snapshot.Listeners.Values
        let address = resource.Message.Address?.SocketAddress
        where address is { Protocol: CoreV3.SocketAddress.Types.Protocol.Tcp }
        orderby address.PortValue, resource.Message.Name
        from chain in resource.Message.FilterChains
        orderby chain.TransportSocket is not null
        let manager = NetworkFilters.Unpack(chain) as HcmV3.HttpConnectionManager
        where manager is not null
        let routes = manager.Rds is { } rds ? compilation.Snapshot.RouteConfigurations.GetValueOrDefault(rds.RouteConfigName)?.Message : manager.RouteConfig
        where routes is not null
        from host in routes.VirtualHosts
        from domain in host.Domains.Where(domain => domain == "*" || !domain.Contains('*', StringComparison.Ordinal)).Take(1)
        from route in host.Routes
        where IsPlain(route)
        select new Candidate(chain.TransportSocket is not null, domain == "*" ? null : domain.Split(':')[0], (int)address.PortValue, PathOf(route.Match));

    // The headers that follow from the URL are for the explainer to judge.
    private static bool IsPlain(RouteV3.Route route) =>
        route.Route_ is not null
        && PathOf(route.Match) is { Length: > 0 }
        && route.Match.Headers.All(header => header.Name is "x-forwarded-proto" or ":authority")
        && route.Match.QueryParameters.Count == 0;

    private static string PathOf(RouteV3.RouteMatch match) => match.Prefix.Length > 0 ? match.Prefix : match.Path;

    private sealed record Candidate(bool IsTls, string? Host, int Port, string Path)
    {
        public string Url => IsTls ? $"https://{Host ?? "localhost"}:{Port}{Path}" : $"http://localhost:{Port}{Path}";

        // A client names a port that is not its scheme's default, and no Host has one in its name.
        public string[] Headers => Host is null ? [] : [$"Host: {Host}"];

        public string Curl =>
            "curl "
            + (IsTls ? "-k " : "")
            + (IsTls && Host is not null ? $"--resolve {Quote($"{Host}:{Port}:127.0.0.1")} " : "")
            + string.Concat(Headers.Select(header => $"-H {Quote(header)} "))
            + Quote(Url);

        // Paths come from manifests: nothing of them may mean something to a shell.
        private static string Quote(string text) =>
            text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or ':' or '.' or '-' or '_')
                ? text : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }
}
