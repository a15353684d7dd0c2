using System.IO.Compression;
using Envoy.Extensions.Compression.Gzip.Compressor.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Tests.Pipeline;
using BufferV3 = Envoy.Extensions.Filters.Http.Buffer.V3;
using CompressorV3 = Envoy.Extensions.Filters.Http.Compressor.V3;
using RbacFilterV3 = Envoy.Extensions.Filters.Http.Rbac.V3;
using RbacV3 = Envoy.Config.Rbac.V3;

namespace Nuncio.DataPlane.Tests.HttpFilters;

public class RequestFilterTests
{
    [Theory]
    [InlineData(RbacV3.RBAC.Types.Action.Allow, "203.0.113.0", 24, 200)]
    [InlineData(RbacV3.RBAC.Types.Action.Allow, "198.51.100.0", 24, 403)]
    [InlineData(RbacV3.RBAC.Types.Action.Deny, "203.0.113.7", 32, 403)]
    [InlineData(RbacV3.RBAC.Types.Action.Deny, "198.51.100.0", 24, 200)]
    public async Task Rbac_AddressOfClient_AllowsOrDenies(RbacV3.RBAC.Types.Action action, string network, int bits, int status)
    {
        var policy = new RbacV3.Policy
        {
            Permissions = { new RbacV3.Permission { Any = true } },
            Principals = { new RbacV3.Principal { RemoteIp = new CoreV3.CidrRange { AddressPrefix = network, PrefixLen = (uint)bits } } },
        };
        var fixture = Fixture("rbac", new RbacFilterV3.RBAC { Rules = new RbacV3.RBAC { Action = action, Policies = { ["ip"] = policy } } });

        var stream = await fixture.SendAsync(FakeServerStream.Get("a/"));

        stream.Response.Status.ShouldBe(status);
        if (status == 403)
        {
            stream.Body.ShouldBe("RBAC: access denied");
        }
    }

    [Theory]
    [InlineData("9", 413)]
    [InlineData("8", 200)]
    public async Task Buffer_AnnouncedLength_IsHeldToTheLimit(string length, int status)
    {
        var fixture = Fixture("buffer", new BufferV3.Buffer { MaxRequestBytes = 8 });

        var stream = await fixture.SendAsync(FakeServerStream.WithBody("12345678", ("content-length", length)));

        stream.Response.Status.ShouldBe(status);
    }

    [Fact]
    public async Task Buffer_BodyOfUnknownLength_GetsItsLength()
    {
        var fixture = Fixture("buffer", new BufferV3.Buffer { MaxRequestBytes = 8 });

        await fixture.SendAsync(FakeServerStream.WithBody("12345"));

        fixture.Seen!.GetText("content-length").ShouldBe("5");
    }

    [Fact]
    public async Task Buffer_LongerThanTheLimit_IsRefused()
    {
        var fixture = Fixture("buffer", new BufferV3.Buffer { MaxRequestBytes = 4 });

        var stream = await fixture.SendAsync(FakeServerStream.WithBody("12345"));

        stream.Response.Status.ShouldBe(413);
        fixture.Seen.ShouldBeNull();
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("br, *;q=0.5", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("br", false)]
    public async Task Compressor_AcceptEncoding_Decides(string accept, bool compressed)
    {
        var fixture = new PipelineFixture();
        fixture.Add("/", route =>
            route.DirectResponse = new RouteV3.DirectResponseAction { Status = 200, Body = new CoreV3.DataSource { InlineString = new string('x', 100) } });
        fixture.Manager.HttpFilters.Add(new HcmV3.HttpFilter
        {
            Name = "gzip",
            TypedConfig = Any.Pack(
                new CompressorV3.Compressor { CompressorLibrary = new CoreV3.TypedExtensionConfig { Name = "gzip", TypedConfig = Any.Pack(new Gzip()) } }),
        });

        var stream = await fixture.SendAsync(FakeServerStream.Get("a/", ("accept-encoding", accept)));

        stream.Response.GetText("vary").ShouldBe("Accept-Encoding");
        (stream.Response.GetText("content-encoding") == "gzip").ShouldBe(compressed);
        if (compressed)
        {
            stream.Response.GetText("content-length").ShouldBeNull();
            using var unzipped = new StreamReader(new GZipStream(new MemoryStream(stream.BodyBytes), CompressionMode.Decompress));
            (await unzipped.ReadToEndAsync()).ShouldBe(new string('x', 100));
        }
    }

    private static PipelineFixture Fixture(string name, IMessage config)
    {
        var fixture = new PipelineFixture().Add("/", route => route.Route_ = new RouteV3.RouteAction { Cluster = "c" });
        fixture.Manager.HttpFilters.Add(new HcmV3.HttpFilter { Name = name, TypedConfig = Any.Pack(config) });
        return fixture;
    }
}
