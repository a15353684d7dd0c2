using Nuncio.Compiler;
using Nuncio.Diagnostics.Explaining;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;
using Nuncio.Sources;

namespace Nuncio.Diagnostics.Tests.Explaining;

/// <summary>Manifests in, what becomes of a request out.</summary>
public sealed class ExplainerTests
{
    private const string Manifest = """
        apiVersion: getambassador.io/v3alpha1
        kind: Listener
        metadata: {name: web}
        spec: {port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Host
        metadata: {name: example}
        spec: {hostname: example.com, requestPolicy: {insecure: {action: Route}}}
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Host
        metadata: {name: secure}
        spec: {hostname: secure.example.com}
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata: {name: quote}
        spec: {hostname: example.com, prefix: /quote/, service: "quote:5000", timeout_ms: 4000}
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata: {name: beta}
        spec: {hostname: example.com, prefix: /quote/, service: beta, headers: {x-beta: "1"}, rewrite: /v2/}
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata: {name: secure}
        spec: {hostname: secure.example.com, prefix: /, service: secure}
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata: {name: odd}
        spec: {hostname: example.com, prefix: /odd/, service: odd, add_request_headers: {x-worker: {value: "%WORKER_ID%"}}}
        """;

    [Fact]
    public void Explain_RequestThatIsForwarded_NamesEveryStep()
    {
        var explanation = Explain("http://example.com/quote/today?x=1");

        explanation.Listener!.Address.ShouldBe("0.0.0.0:8080");
        explanation.Listener.Resource.ShouldBe(new ResourceKey("Listener", "default", "web"));
        explanation.VirtualHost!.Domains.ShouldContain("example.com");
        explanation.Route!.Resource.ShouldBe(new ResourceKey("Mapping", "default", "quote"));
        explanation.Route.Location!.Line.ShouldBeGreaterThan(1);
        var forward = explanation.Outcome.ShouldBeOfType<ForwardOutcome>();
        forward.Path.ShouldBe("/today?x=1");
        forward.Host.ShouldBe("example.com");
        forward.Timeout.ShouldBe(TimeSpan.FromSeconds(4));
        forward.Clusters.ShouldHaveSingleItem().Endpoints.ShouldBe(["quote:5000"]);
    }

    [Fact]
    public void Explain_RouteBeforeTheOneTaken_IsANearMissWithItsCondition()
    {
        var miss = Explain("http://example.com/quote/").NearMisses.First(m => m.Route.Resource!.Value.Name == "beta");

        miss.FailedCondition.ShouldNotBeEmpty();
        Explain("http://example.com/quote/", "X-Beta: 1").NearMisses.ShouldNotContain(m => m.FailedCondition.Contains("x-beta"));
    }

    [Fact]
    public void Explain_HeaderOfTheRequest_DecidesTheRoute()
    {
        var explanation = Explain("http://example.com/quote/a", "X-Beta: 1");

        explanation.Route!.Resource!.Value.Name.ShouldBe("beta");
        explanation.Outcome.ShouldBeOfType<ForwardOutcome>().Path.ShouldBe("/v2/a");
    }

    [Fact]
    public void Explain_InsecureRequestToASecureHost_IsRedirected()
    {
        var redirect = Explain("http://secure.example.com/a?b").Outcome.ShouldBeOfType<RedirectOutcome>();

        redirect.Status.ShouldBe(301);
        redirect.Location.ShouldBe("https://secure.example.com/a?b");
    }

    [Fact]
    public void Explain_UnknownPath_NamesTheClosestRoutes()
    {
        var explanation = Explain("http://example.com/quota");

        explanation.Route.ShouldBeNull();
        explanation.Outcome.ShouldBeOfType<AnswerOutcome>().Status.ShouldBe(404);
        explanation.NearMisses.ShouldContain(miss => miss.Route.Resource!.Value.Name == "quote");
    }

    [Fact]
    public void Explain_PathWithDots_IsCleanedFirst()
    {
        var explanation = Explain("http://example.com/other/../quote/x");

        explanation.CleanedPath.ShouldBe("/quote/x");
        explanation.Route!.Resource!.Value.Name.ShouldBe("quote");
    }

    [Fact]
    public void Explain_PortThatNothingListensOn_IsClosed() => Explain("http://example.com:9999/").Outcome.ShouldBeOfType<ClosedOutcome>();

    [Fact]
    public void Explain_TlsWithoutCertificate_IsClosed() => Explain("https://example.com/quote/").Outcome.ShouldBeOfType<ClosedOutcome>();

    [Theory]
    [InlineData("example.com/quote/")]
    [InlineData("ftp://example.com/")]
    [InlineData("http://")]
    public void Parse_UrlThatIsNone_IsAnError(string url)
    {
        ExplainRequest.Parse(url, null, [], out var error).ShouldBeNull();
        error.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void Write_Text_HoldsTheStepsInOrder()
    {
        var text = new StringWriter();
        ExplanationText.Write(text, Explain("http://example.com/quote/today"));

        var titles = text.ToString().Split('\n').Select(line => line.Length > 15 ? line[..15].Trim() : "").Where(title => title.Length > 0).ToArray();
        titles[..5].ShouldBe(["request", "listener", "filter chain", "virtual host", "route"]);
        titles.ShouldContain("cluster");
        titles.ShouldContain("endpoint");
    }

    [Fact]
    public void Explain_OfARouteThatTheProxyRefuses_IsItsAnswerAndConcernsNoOtherRoute()
    {
        Explain("http://example.com/odd/").Outcome.ShouldBeOfType<AnswerOutcome>().Status.ShouldBe(500);
        Explain("http://example.com/quote/today").Outcome.ShouldBeOfType<ForwardOutcome>();
    }

    private static Explanation Explain(string url, params string[] headers)
    {
        var snapshot = SnapshotAssembler.Assemble(1, [new ManifestReader().Read("a.yaml", Manifest)], [], SnapshotOptions.Default);
        var compilation = new SnapshotCompiler(CompilerOptions.Default).Compile(snapshot);
        var request = ExplainRequest.Parse(url, null, headers, out var error);
        error.ShouldBeNull();
        return new Explainer(snapshot, compilation).Explain(request!);
    }
}
