using Envoy.Config.Route.V3;

namespace Nuncio.Xds.Tests;

public class XdsYamlTests
{
    [Fact]
    public void Format_NestedMessage_IsBlockStyle()
    {
        XdsJson.TryParse<RouteConfiguration>("""
            {"name":"r","virtual_hosts":[{"name":"on","domains":["*","a.example.com"],"routes":[
            {"match":{"prefix":"/"},"direct_response":{"status":200,"body":{"inline_string":"a: \"b\"\n"}}},
            {"match":{"prefix":""},"redirect":{}}]}]}
            """, out var message, out var error).ShouldBeTrue(error?.ToString());

        XdsYaml.Format(message).ShouldBe("""
            name: r
            virtual_hosts:
              - name: "on"
                domains:
                  - "*"
                  - a.example.com
                routes:
                  - match:
                      prefix: /
                    direct_response:
                      status: 200
                      body:
                        inline_string: "a: \"b\"\n"
                  - match:
                      prefix: ""
                    redirect: {}

            """);
    }

    [Theory]
    [InlineData("true", "\"true\"")]
    [InlineData("No", "\"No\"")]
    [InlineData("10", "\"10\"")]
    [InlineData("1e3", "\"1e3\"")]
    [InlineData("~", "\"~\"")]
    [InlineData("", "\"\"")]
    [InlineData("a b", "\"a b\"")]
    [InlineData("a#b", "\"a#b\"")]
    [InlineData("tab\there", "\"tab\\there\"")]
    [InlineData("plain-text_1.0/x", "plain-text_1.0/x")]
    public void FromJson_String_IsReadBackAsThatString(string value, string yaml) =>
        XdsYaml.FromJson(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new[] { value })).ShouldBe($"- {yaml}\n");
}
