using System.Net;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Tests.Listening;

public sealed class FilterChainIndexTests
{
    private sealed class NoFilter : NetworkFilterModel
    {
        public override ValueTask<NetworkSession?> BeginAsync(AcceptedConnection connection) => default;
    }

    [Theory]
    [InlineData("a.example.com", "exact")]
    [InlineData("b.example.com", "below example.com")]
    [InlineData("x.b.example.com", "below b.example.com")]
    [InlineData("example.com", "any")]
    [InlineData("other.org", "any")]
    [InlineData("", "any")]
    public void Name_MostSpecificWins(string serverName, string expected)
    {
        var index = new FilterChainIndex(
            [Chain("any"), Chain("exact", "a.example.com"), Chain("below example.com", "*.example.com"), Chain("below b.example.com", "*.b.example.com")],
            null);

        Find(index, serverName, isTls: true).ShouldBe(expected);
    }

    [Fact]
    public void TransportProtocol_TellsTlsFromCleartext()
    {
        var index = new FilterChainIndex([Chain("tls", protocol: "tls"), Chain("plain", protocol: "raw_buffer")], null);

        Find(index, "", isTls: true).ShouldBe("tls");
        Find(index, "", isTls: false).ShouldBe("plain");
    }

    [Fact]
    public void Criteria_HaveNoWayBack()
    {
        // The name is found first, and its only chain does not take cleartext: the general chain is not tried any more, as in Envoy.
        var index = new FilterChainIndex([Chain("general"), Chain("named", "a.example.com", "tls")], null);

        Find(index, "a.example.com", isTls: false).ShouldBeNull();
    }

    [Fact]
    public void DefaultChain_TakesTheRest()
    {
        var index = new FilterChainIndex([Chain("named", "a.example.com")], Chain("default"));

        Find(index, "b.example.com", isTls: true).ShouldBe("default");
    }

    [Fact]
    public void ApplicationProtocol_FollowsTheOrderOfTheOffer()
    {
        var index = new FilterChainIndex([Chain("h2", alpn: "h2"), Chain("h1", alpn: "http/1.1"), Chain("none")], null);

        Find(index, "", true, "http/1.1", "h2").ShouldBe("h1");
        Find(index, "", true, "spdy", "h2").ShouldBe("h2");
        Find(index, "", true, "spdy").ShouldBe("none");
    }

    [Fact]
    public void DestinationNetwork_LongestPrefixWins()
    {
        var index = new FilterChainIndex(
            [Chain("wide", network: "127.0.0.0/8"), Chain("narrow", network: "127.0.0.2/32"), Chain("other", network: "10.0.0.0/8")], null);

        Find(index, "", false).ShouldBe("narrow");
    }

    private static FilterChainModel Chain(string key, string? name = null, string protocol = "", string? alpn = null, string? network = null) => new()
    {
        Key = key,
        Filter = new NoFilter(),
        Match = new FilterChainMatchModel
        {
            ServerNames = name is null ? [] : [name],
            TransportProtocol = protocol,
            ApplicationProtocols = alpn is null ? [] : [alpn],
            DestinationNetworks = network is null ? [] : [IPNetwork.Parse(network)],
        },
    };

    private static string? Find(FilterChainIndex index, string serverName, bool isTls, params string[] offered) => index.Find(new FilterChainInput
    {
        Local = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 443),
        Remote = new IPEndPoint(IPAddress.Loopback, 1000),
        DirectRemote = new IPEndPoint(IPAddress.Loopback, 1000),
        ServerName = serverName,
        IsTls = isTls,
        ApplicationProtocols = offered,
    })?.Key;
}
