using System.Text;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Routing;

namespace Nuncio.DataPlane.Tests.Routing;

public class VirtualHostIndexTests
{
    [Theory]
    [InlineData("www.example.com", "www.example.com")]
    [InlineData("WWW.Example.COM", "www.example.com")]
    [InlineData("a.example.com", "*.example.com")]
    [InlineData("b.a.example.com", "*.a.example.com")]
    [InlineData("example.com", "*")]
    [InlineData("api.test", "api.*")]
    [InlineData("other", "*")]
    [InlineData("www.example.com:8080", "*")]
    public void Find_Hosts_ChoosesExactThenLongestSuffixThenPrefixThenDefault(string host, string expected)
    {
        var index = Index(ignorePort: false, "*", "www.example.com", "*.example.com", "*.a.example.com", "api.*");

        index.Find(Encoding.ASCII.GetBytes(host))!.Name.ShouldBe(expected);
    }

    [Theory]
    [InlineData("www.example.com:8080")]
    [InlineData("www.example.com:1")]
    public void Find_IgnorePort_LooksAtTheNameOnly(string host) =>
        Index(ignorePort: true, "*", "www.example.com").Find(Encoding.ASCII.GetBytes(host))!.Name.ShouldBe("www.example.com");

    [Fact]
    public void TryAdd_TakenDomain_IsRefused()
    {
        var index = Index(ignorePort: false, "a", "*");

        index.TryAdd("a", Host("other")).ShouldBeFalse();
        index.TryAdd("*", Host("other")).ShouldBeFalse();
    }

    private static VirtualHostIndex Index(bool ignorePort, params string[] domains)
    {
        var index = new VirtualHostIndex(ignorePort);
        foreach (var domain in domains)
        {
            index.TryAdd(domain, Host(domain)).ShouldBeTrue();
        }

        return index;
    }

    private static VirtualHostModel Host(string name) => new()
    {
        Name = name,
        Domains = [name],
        Routes = [],
        Index = new RouteIndex([]),
        RequestHeaders = HeaderMutationsModel.None,
        ResponseHeaders = HeaderMutationsModel.None,
        FilterConfigs = FilterConfigMap.Empty,
        Message = new RouteV3.VirtualHost(),
    };
}
