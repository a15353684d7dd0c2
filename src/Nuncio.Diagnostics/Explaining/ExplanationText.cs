using System.Globalization;
using Nuncio.Resources.Findings;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>An explanation for people.</summary>
public static class ExplanationText
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter writer, Explanation explanation)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(explanation);
        Line(
            writer, "request",
            $"{explanation.Request.Method} {explanation.Request.Url.Scheme}://{explanation.Request.Authority}{explanation.Request.PathAndQuery}");
        if (explanation.Listener is { } listener)
            Line(writer, "listener", $"{listener.Name} on {listener.Address}{For(listener.Resource)}; {listener.Reason}");
        if (explanation.FilterChain is { } chain)
        {
            var names = chain.ServerNames.IsEmpty ? "any name" : string.Join(", ", chain.ServerNames);
            Line(writer, "filter chain", $"{chain.Name} ({(chain.IsTls ? "TLS" : "cleartext")}, {names})");
        }

        if (explanation.CleanedPath is { } path)
            Line(writer, "cleaned path", path);
        if (explanation.VirtualHost is { } host)
            Line(writer, "virtual host", $"{host.Name} ({string.Join(", ", host.Domains)}), {host.RouteCount} routes in {host.RouteConfiguration}");
        if (explanation.Route is { } route)
        {
            Line(writer, "route", Describe(route));
            Line(writer, "", route.Conditions);
        }

        foreach (var miss in explanation.NearMisses)
        {
            Line(writer, "not", Describe(miss.Route));
            Line(writer, "", $"fails: {miss.FailedCondition}");
        }

        WriteOutcome(writer, explanation.Outcome);
    }

    private static void WriteOutcome(TextWriter writer, Outcome outcome)
    {
        switch (outcome)
        {
            case ForwardOutcome forward:
                WriteClusters(writer, "cluster", forward.Clusters);
                WriteClusters(writer, "mirror", forward.Mirrors);
                Line(writer, "upstream path", forward.Path);
                Line(writer, "upstream host", forward.Host ?? "the endpoint's");
                Line(writer, "timeout", forward.Timeout is { } timeout ? $"{timeout.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)} ms" : "none");
                break;
            case TunnelOutcome tunnel:
                WriteClusters(writer, "cluster", tunnel.Clusters);
                Line(writer, "answer", "the connection's bytes are passed on as they are (TCPMapping)");
                break;
            case RedirectOutcome redirect:
                Line(writer, "answer", $"{redirect.Status} redirect to {redirect.Location}");
                break;
            case AnswerOutcome answer:
                Line(writer, "answer", $"{answer.Status}: {answer.Reason}");
                break;
            case ClosedOutcome closed:
                Line(writer, "answer", $"no connection: {closed.Reason}");
                break;
        }
    }

    private static void WriteClusters(TextWriter writer, string title, ImmutableArray<ClusterStep> clusters)
    {
        foreach (var cluster in clusters)
        {
            var share = cluster.Percent < 100 ? string.Create(CultureInfo.InvariantCulture, $" {cluster.Percent:0.##} %") : "";
            Line(writer, title, $"{cluster.Name}{share} ({cluster.Discovery}{(cluster.Tls ? ", TLS" : "")})");
            foreach (var endpoint in cluster.Endpoints)
                Line(writer, "endpoint", endpoint);
            if (cluster.Endpoints.IsEmpty)
                Line(writer, "endpoint", "none: requests are answered with 503");
        }
    }

    private static string Describe(RouteStep route)
    {
        var name = route.Resource?.ToString() ?? (route.Name.Length > 0 ? route.Name : "(unnamed)");
        var place = route.Location is { } location ? $" at {location}" : "";
        return $"{route.Position}. {name}{place}";
    }

    private static string For(ResourceKey? resource) => resource is { } key ? $" ({key})" : "";

    private static void Line(TextWriter writer, string title, string text)
    {
        writer.Write(title.PadRight(15));
        writer.WriteLine(string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)));
    }
}
