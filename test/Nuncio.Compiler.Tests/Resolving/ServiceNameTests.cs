using Nuncio.Compiler.Resolving;

namespace Nuncio.Compiler.Tests.Resolving;

public class ServiceNameTests
{
    [Theory]
    [InlineData("quote", ServiceScheme.None, "quote", null, "quote")]
    [InlineData("quote:8080", ServiceScheme.None, "quote", 8080, "quote:8080")]
    [InlineData("http://Quote", ServiceScheme.Http, "quote", null, "http://quote")]
    [InlineData("HTTPS://quote.ns:8443", ServiceScheme.Https, "quote.ns", 8443, "https://quote.ns:8443")]
    [InlineData("127.0.0.1:8877", ServiceScheme.None, "127.0.0.1", 8877, "127.0.0.1:8877")]
    [InlineData("[::1]:80", ServiceScheme.None, "::1", 80, "[::1]:80")]
    [InlineData("https://[2001:db8::1]", ServiceScheme.Https, "2001:db8::1", null, "https://[2001:db8::1]")]
    [InlineData("quote:80/path?x", ServiceScheme.None, "quote", 80, "quote:80")]
    [InlineData("tcp://quote", ServiceScheme.Other, "quote", null, "tcp://quote")]
    [InlineData("a%2eb", ServiceScheme.None, "a.b", null, "a.b")]
    public void Parse_Service_HasItsParts(string text, ServiceScheme scheme, string host, int? port, string canonical)
    {
        var service = ServiceName.Parse(text);
        service.Error.ShouldBeNull();
        service.Scheme.ShouldBe(scheme);
        service.Host.ShouldBe(host);
        service.Port.ShouldBe(port);
        service.Text.ShouldBe(canonical);
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://")]
    [InlineData(":80")]
    [InlineData("foo:99999")]
    [InlineData("foo:bar")]
    [InlineData("foo:-1")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    [InlineData("::1")]
    [InlineData("a%zz")]
    [InlineData("a b")]
    public void Parse_NoService_IsAnError(string text) => ServiceName.Parse(text).Error.ShouldNotBeNull();
}
