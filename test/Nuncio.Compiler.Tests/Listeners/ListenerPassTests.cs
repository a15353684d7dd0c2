using Nuncio.Testing;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Compiler.Tests.Listeners;

public sealed class ListenerPassTests : IDisposable
{
    private readonly TestCertificate _certificate = TestCertificate.Create(["a.example.com"]);

    private static CompilerOptions NoHttp3 => CompilerOptions.Default with { ServesHttp3 = false };

    private string SecureHost => Compiled.Quiet() + Compiled.Secret("s", _certificate) + Compiled.Host("h", "{hostname: a.example.com, tlsSecret: {name: s}}");

    public void Dispose() => _certificate.Dispose();

    [Fact]
    public void NoListener_FromFiles_OpensTwoWithANotice()
    {
        var compiled = Compiled.From(Compiled.Quiet(), CompilerOptions.Default with { AssumeListeners = true });
        compiled.Codes.ShouldContain(FindingCodes.DefaultListenersAssumed);
        compiled.Snapshot.Listeners.Values.Select(l => l.Message.Address.SocketAddress.PortValue).Order().ShouldBe([8080u, 8443u]);
        Compiled.From(Compiled.Quiet()).Snapshot.Listeners.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("protocol: UDP", "listener-protocol-invalid")]
    [InlineData("protocolStack: [TLS, HTTP]", "listener-protocol-invalid")]
    [InlineData("protocolStack: [UDP]", "listener-protocol-invalid")]
    public void Listener_ThatCannotBeOpened_IsAFindingAndStopsNoOther(string protocol, string code)
    {
        var compiled = Compiled.From(
            Compiled.Quiet() + Compiled.Listener("good")
            + Compiled.Resource("Listener", "bad", $"{{port: 9000, {protocol}, securityModel: XFP, hostBinding: {{namespace: {{from: ALL}}}}}}"));
        compiled.Codes.ShouldContain(code);
        compiled.Snapshot.Listeners.Keys.ShouldBe(["good"]);
    }

    [Fact]
    public void TwoListeners_OnOnePort_FirstWins()
    {
        var compiled = Compiled.From(Compiled.Quiet() + Compiled.Listener("a") + Compiled.Listener("b"));
        compiled.Codes.ShouldContain(FindingCodes.ListenerBindingConflict);
        compiled.Snapshot.Listeners.Keys.ShouldBe(["a"]);
    }

    [Fact]
    public void ProxyProtocol_IsReadBeforeTls()
    {
        var compiled = Compiled.From(Compiled.Quiet() + Compiled.Listener("l", 8443, "HTTPSPROXY"));
        compiled.Snapshot.Listeners["l"].Message.ListenerFilters.Select(filter => filter.Name)
            .ShouldBe(["envoy.filters.listener.proxy_protocol", "envoy.filters.listener.tls_inspector"]);
    }

    [Fact]
    public void Selector_TakesHostsWithTheLabelsOnly()
    {
        var compiled = Compiled.From(
            Compiled.Quiet()
            + Compiled.Resource("Listener", "l", "{port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {selector: {matchLabels: {tier: edge}}}}")
            + Compiled.Resource("Host", "in", "{hostname: in.com}", "labels: {tier: edge}")
            + Compiled.Resource("Host", "out", "{hostname: out.com}", "labels: {tier: core}"));
        compiled.VirtualHosts("l", "http").Keys.ShouldBe(["in.com"]);
    }

    [Fact]
    public void Listener_WithoutAnyHost_IsNotOpened()
    {
        var compiled = Compiled.From(
            Compiled.Quiet() + Compiled.Host("h", "{hostname: a.com}")
            + Compiled.Resource("Listener", "l", "{port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {selector: {matchLabels: {no: such}}}}"));
        compiled.Codes.ShouldBe([FindingCodes.ListenerUnused]);
        compiled.Snapshot.Listeners.ShouldBeEmpty();
    }

    [Fact]
    public void L7Depth_AndStatsPrefix_AreEmitted()
    {
        var compiled = Compiled.From(
            Compiled.Quiet()
            + Compiled.Resource(
                "Listener", "l", "{port: 8080, protocol: HTTP, securityModel: XFP, l7Depth: 2, statsPrefix: mine, hostBinding: {namespace: {from: ALL}}}"));
        var manager = compiled.Manager("l", "http");
        manager.XffNumTrustedHops.ShouldBe(2u);
        manager.StatPrefix.ShouldBe("mine");
        manager.UseRemoteAddress.ShouldBe(true);
    }

    [Fact]
    public void Http3_IsAnnouncedOnTheTcpListenerOfTheSamePort()
    {
        var compiled = Compiled.From(SecureHost + Compiled.Listener("tcp", 8443) + Http3("udp", 8443));
        compiled.Chains("udp").ShouldBe(["https/a.example.com"]);
        compiled.Chain("udp", "https/a.example.com").FilterChainMatch.TransportProtocol.ShouldBe("quic");
        var routes = compiled.Manager("tcp", "http").Rds.RouteConfigName;
        compiled.Snapshot.RouteConfigurations[routes].Message.ResponseHeadersToAdd.Single().Header.Key.ShouldBe("alt-svc");
    }

    [Fact]
    public void Http3_WhereItCannotBeServed_IsOneFindingAndLeavesTheRestAlone()
    {
        var manifests = SecureHost + Compiled.Listener("tcp", 8443) + Http3("udp", 8443)
            + Compiled.Resource("TCPMapping", "raw", "{port: 9000, service: 'db:5432'}") + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}");
        var without = Compiled.From(manifests, NoHttp3);

        var finding = without.Result.Findings.ShouldHaveSingleItem();
        finding.Code.ShouldBe(FindingCodes.Http3Unavailable);
        finding.Level.ShouldBe(FindingLevel.Warning);
        finding.Resource.ShouldBe(new ResourceKey("Listener", "default", "udp"));
        finding.FieldPath.ShouldBe("spec.protocolStack");
        without.Snapshot.Listeners.Keys.Order(StringComparer.Ordinal).ShouldBe(["listener-0.0.0.0-9000", "tcp"]);
        without.Manager("tcp", "https/a.example.com").Http3ProtocolOptions.ShouldBeNull();
        without.Snapshot.RouteConfigurations.Values.SelectMany(routes => routes.Message.ResponseHeadersToAdd).ShouldBeEmpty();
        // Nothing but the place of the finding tells it from the same manifests without that Listener.
        var never = Compiled.From(manifests.Replace(Http3("udp", 8443), "", StringComparison.Ordinal), NoHttp3);
        without.Snapshot.Listeners.Select(pair => (pair.Key, pair.Value.Version)).ShouldBe(
            never.Snapshot.Listeners.Select(pair => (pair.Key, pair.Value.Version)), ignoreOrder: true);
    }

    [Fact]
    public void Http3_WhereItCannotBeServed_IsAnErrorOfHostsThatHaveNothingElse()
    {
        const string Labelled = "{port: 8443, protocolStack: [TLS, HTTP, UDP], securityModel: XFP, hostBinding: {selector: {matchLabels: {on: udp}}}}";
        var manifests = Compiled.Quiet() + Compiled.Secret("s", _certificate)
            + Compiled.Resource("Host", "both", "{hostname: both.example.com, tlsSecret: {name: s}}", "labels: {on: udp, also: tcp}")
            + Compiled.Resource("Host", "alone", "{hostname: alone.example.com, tlsSecret: {name: s}}", "labels: {on: udp}")
            + Compiled.Resource("Listener", "udp", Labelled)
            + Compiled.Resource("Listener", "tcp", "{port: 8080, protocol: HTTPS, securityModel: XFP, hostBinding: {selector: {matchLabels: {also: tcp}}}}");

        Compiled.From(manifests).Result.Findings.ShouldBeEmpty();
        Compiled.From(manifests, NoHttp3).Result.Findings.Select(finding => (finding.Code, finding.Level, finding.Resource!.Value.Name)).ShouldBe(
        [
            (FindingCodes.Http3Unavailable, FindingLevel.Warning, "udp"),
            (FindingCodes.Http3Unavailable, FindingLevel.Error, "alone"),
        ]);
    }

    [Fact]
    public void Http3_WhereItCannotBeServed_OpensNoOtherListenerInItsPlace()
    {
        var compiled = Compiled.From(SecureHost + Http3("udp", 8443), NoHttp3 with { AssumeListeners = true });
        compiled.Codes.ShouldBe([FindingCodes.Http3Unavailable, FindingCodes.Http3Unavailable]);
        compiled.Snapshot.Listeners.ShouldBeEmpty();
    }

    [Fact]
    public void Http3_WhereItCannotBeServed_StillConflictsOnItsPort()
    {
        var compiled = Compiled.From(SecureHost + Compiled.Listener("tcp", 8443) + Http3("udp", 8443) + Http3("udp-too", 8443), NoHttp3);
        compiled.Codes.ShouldBe([FindingCodes.Http3Unavailable, FindingCodes.ListenerBindingConflict], ignoreOrder: true);
    }

    [Fact]
    public void Bootstrap_MergesChainsThatDifferInTheirNamesOnly()
    {
        var compiled = Compiled.From(
            Compiled.Quiet() + Compiled.Listener() + Compiled.Secret("s", _certificate) + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}")
            + Compiled.Host("a", "{hostname: a.example.com, tlsSecret: {name: s}}") + Compiled.Host("b", "{hostname: b.example.com, tlsSecret: {name: s}}"));
        compiled.Chains("l").ShouldBe(["http", "https/a.example.com", "https/b.example.com"]);
        var listener = BootstrapEmitter.Emit(compiled.Snapshot).StaticResources.Listeners.Single();
        listener.FilterChains.Count.ShouldBe(2);
        listener.FilterChains[1].FilterChainMatch.ServerNames.ShouldBe(["a.example.com", "b.example.com"]);
        var manager = listener.FilterChains[1].Filters[0].TypedConfig.Unpack<Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager>();
        manager.RouteConfig.VirtualHosts.Single().Domains.ShouldBe(["a.example.com", "b.example.com"]);
    }

    private static string Http3(string name, int port) => Compiled.Resource(
        "Listener", name, $"{{port: {port}, protocolStack: [TLS, HTTP, UDP], securityModel: XFP, hostBinding: {{namespace: {{from: ALL}}}}}}");
}
