using Nuncio.Testing;
using TcpProxyFilter = Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy;

namespace Nuncio.Compiler.Tests.Tcp;

public sealed class TcpMappingPassTests : IDisposable
{
    private readonly TestCertificate _certificate = TestCertificate.Create(["db.example.com"]);

    public void Dispose() => _certificate.Dispose();

    private static string Tcp(string name, string spec) => Compiled.Resource("TCPMapping", name, spec);

    private static TcpProxyFilter Proxy(Compiled compiled, string listener, string chain) =>
        compiled.Chain(listener, chain).Filters[0].TypedConfig.Unpack<TcpProxyFilter>();

    [Fact]
    public void TcpMapping_WithoutListener_GetsOne()
    {
        var compiled = Compiled.From(Compiled.Quiet() + Tcp("t", "{port: 6379, service: 'redis:6379', idle_timeout_ms: '5000'}"));
        var proxy = Proxy(compiled, "listener-0.0.0.0-6379", "tcp/*");
        proxy.StatPrefix.ShouldBe("ingress_tcp_6379");
        proxy.Cluster.ShouldBe("cluster_redis_6379_default");
        proxy.IdleTimeout.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Weights_MeanWhatTheySay()
    {
        var compiled = Compiled.From(Compiled.Quiet() + Tcp("a", "{port: 6379, service: a, weight: 20}") + Tcp("b", "{port: 6379, service: b, weight: 80}"));
        Proxy(compiled, "listener-0.0.0.0-6379", "tcp/*").WeightedClusters.Clusters.Select(cluster => cluster.Weight).ShouldBe([20u, 80u]);
    }

    [Fact]
    public void MemberWithoutWeight_TakesWhatIsLeft()
    {
        var compiled = Compiled.From(Compiled.Quiet() + Tcp("a", "{port: 6379, service: a, weight: 30}") + Tcp("b", "{port: 6379, service: b}"));
        Proxy(compiled, "listener-0.0.0.0-6379", "tcp/*").WeightedClusters.Clusters.Select(cluster => cluster.Weight).ShouldBe([30u, 70u]);
    }

    [Fact]
    public void HostAndTlsContext_TerminateTls()
    {
        var compiled = Compiled.From(
            Compiled.Quiet() + Compiled.Secret("s", _certificate) + Compiled.Resource("TLSContext", "ctx", "{hosts: [db.example.com], secret: s}")
            + Tcp("t", "{port: 6379, host: db.example.com, service: redis}"));
        var chain = compiled.Chain("listener-0.0.0.0-6379", "tcp/db.example.com");
        chain.FilterChainMatch.ServerNames.ShouldBe(["db.example.com"]);
        chain.TransportSocket.ShouldNotBeNull();
        compiled.Snapshot.Secrets.ShouldHaveSingleItem();
    }

    [Fact]
    public void Host_WithoutAnyCertificate_IsAFindingAndOpensNothing()
    {
        var compiled = Compiled.From(Compiled.Quiet() + Tcp("t", "{port: 6379, host: db.example.com, service: redis}"));
        compiled.Codes.ShouldContain(FindingCodes.TlsContextNotFound);
        compiled.Snapshot.Listeners.ShouldBeEmpty();
    }

    [Fact]
    public void TcpMapping_WithoutHost_TakesTheClearConnectionsOfASharedListener()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Secret("s", _certificate) + Compiled.Host("h", "{hostname: db.example.com, tlsSecret: {name: s}}")
            + Tcp("t", "{port: 8080, service: redis}"));
        compiled.Codes.ShouldContain(FindingCodes.ListenerChainConflict);
        compiled.Chains("l").ShouldBe(["tcp/*", "https/db.example.com"]);
    }

    [Fact]
    public void Member_ThatDisagrees_IsLeftOut()
    {
        var compiled = Compiled.From(
            Compiled.Quiet() + Tcp("a", "{port: 6379, service: a, enable_ipv6: false}") + Tcp("b", "{port: 6379, service: b, enable_ipv6: true}"));
        compiled.Codes.ShouldContain(FindingCodes.GroupMismatch);
        Proxy(compiled, "listener-0.0.0.0-6379", "tcp/*").Cluster.ShouldStartWith("cluster_a");
    }
}
