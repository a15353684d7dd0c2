namespace Nuncio.EndToEndTests.Features;

/// <summary>Manifests that most classes begin with.</summary>
internal static class Common
{
    /// <summary>A Listener on the port that requests go to, in the clear and over TLS, for Hosts of all namespaces.</summary>
    public const string Listener = """
        Listener main: { port: $(port), protocol: HTTPS, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
        """;

    /// <summary>Besides, a Host for every name that serves insecure requests too.</summary>
    public const string Everywhere = Listener + """

        Host everywhere: { hostname: "*", requestPolicy: { insecure: { action: Route } } }
        """;
}

/// <summary>What tests say of replies.</summary>
internal static class ReplyAssertions
{
    public static void ShouldBeFrom(this Reply reply, string upstream) => reply.Upstream.ShouldBe(upstream, reply.ToString());

    public static void ShouldSee(this Reply reply, string target)
    {
        reply.Upstream.ShouldNotBeNull(reply.ToString());
        reply.Target.ShouldBe(target, reply.ToString());
    }

    /// <summary>No route was for it.</summary>
    public static void ShouldNotBeRouted(this Reply reply) => reply.ShouldBeAnswered(404);

    /// <summary>The gateway itself answered.</summary>
    public static void ShouldBeAnswered(this Reply reply, int status)
    {
        reply.Upstream.ShouldBeNull(reply.ToString());
        reply.Status.ShouldBe(status, reply.ToString());
    }
}
