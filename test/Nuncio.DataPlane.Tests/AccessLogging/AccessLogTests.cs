using System.Text.Json;
using Envoy.Extensions.AccessLoggers.File.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Tests.Pipeline;
using Nuncio.Testing;

namespace Nuncio.DataPlane.Tests.AccessLogging;

public class AccessLogTests
{
    [Fact]
    public async Task Log_DefaultFormat_IsEnvoys()
    {
        var line = await LogAsync(new FileAccessLog());

        line.ShouldMatch(
            """^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] "GET /x\?y HTTP/1\.1" 404 NR 0 0 \d+ - "-" "curl" "[0-9a-f-]{36}" "a\.example" "-"\n$""");
    }

    [Fact]
    public async Task Log_TypedJson_KeepsTypes()
    {
        var line = await LogAsync(new FileAccessLog
        {
            TypedJsonFormat = new Struct
            {
                Fields = { ["code"] = Value.ForString("%RESPONSE_CODE%"), ["host"] = Value.ForString("%UPSTREAM_HOST%"),
                    ["text"] = Value.ForString("x %REQ(user-agent)% \"") },
            },
        });

        using var json = JsonDocument.Parse(line);
        json.RootElement.GetProperty("code").GetInt32().ShouldBe(404);
        json.RootElement.GetProperty("host").ValueKind.ShouldBe(JsonValueKind.Null);
        json.RootElement.GetProperty("text").GetString().ShouldBe("x curl \"");
    }

    [Fact]
    public async Task Log_WithOperatorsThatOnlyEnvoyHas_GoesWithout()
    {
        var line = await LogAsync(
            new FileAccessLog { Format = "%RESPONSE_CODE% %DOWNSTREAM_WIRE_BYTES_SENT% %COMMON_DURATION(DS_RX_BEG:DS_TX_END:ms)% %METADATA(ROUTE:a:b)%" });

        line.ShouldBe("404 - - -");
    }

    [Fact]
    public void TryParse_OperatorThatOnlyEnvoyHas_IsRefusedWhereItIsNotSaid()
    {
        SubstitutionFormat.TryParse("%WORKER_ID%", omitEmpty: false, out _).ShouldBeNull();

        var absent = new HashSet<string>();
        SubstitutionFormat.TryParse("%WORKER_ID% %PROTOCOL%", omitEmpty: false, out _, absent).ShouldNotBeNull();
        absent.ShouldBe(["WORKER_ID"]);
    }

    [Theory]
    [InlineData("%NOPE%")]
    [InlineData("%REQ%")]
    [InlineData("%REQ(x)")]
    [InlineData("100%")]
    [InlineData("%START_TIME(%Q)%")]
    [InlineData("%REQ(x):y%")]
    public void TryParse_BadFormat_IsRefused(string format)
    {
        SubstitutionFormat.TryParse(format, omitEmpty: false, out var error).ShouldBeNull();
        error.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("%REQ(X-NONE?:PATH)%", "/x?y")]
    [InlineData("%REQ(:PATH):2%", "/x")]
    [InlineData("%REQ_WITHOUT_QUERY(:PATH)%", "/x")]
    [InlineData("%QUERY_PARAM(y)%|%REQ(none)%", "|-")]
    [InlineData("100%% %PROTOCOL%", "100% HTTP/1.1")]
    [InlineData("%DOWNSTREAM_REMOTE_ADDRESS%", "203.0.113.7:4711")]
    [InlineData("%DOWNSTREAM_LOCAL_PORT% %CONNECTION_ID%", "8080 7")]
    [InlineData("%RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS_LONG%", "route_not_found NoRouteFound")]
    [InlineData("%START_TIME(%Y)%%UPSTREAM_CLUSTER%", "20xx-")]
    public async Task Log_Operators_GiveTheirValues(string format, string expected)
    {
        var line = await LogAsync(new FileAccessLog { LogFormat = new CoreV3.SubstitutionFormatString { TextFormat = format + "\n" } });

        if (expected == "20xx-")
        {
            line.ShouldMatch("^20\\d\\d-\n$");
            return;
        }

        line.ShouldBe(expected + "\n");
    }

    private static async Task<string> LogAsync(FileAccessLog config)
    {
        using var folder = new TemporaryFolder();
        config.Path = Path.Combine(folder.Path, "access.log");
        using (var files = new AccessLogFiles())
        {
            var fixture = new PipelineFixture();
            fixture.Manager.AccessLog.Add(new AccessLogV3.AccessLog { Name = "file", TypedConfig = Any.Pack(config) });
            await fixture.SendAsync(FakeServerStream.Get("a.example/x?y", ("user-agent", "curl")), files);
        }

        return await File.ReadAllTextAsync(config.Path);
    }
}
