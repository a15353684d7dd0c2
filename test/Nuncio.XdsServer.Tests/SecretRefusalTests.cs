using Envoy.Extensions.TransportSockets.Tls.V3;
using static Nuncio.XdsServer.Tests.Snapshots;

namespace Nuncio.XdsServer.Tests;

/// <summary>
/// Envoy keeps a secret that it refused: an equal one is accepted unseen, and each listener that is built anew is refused for it. So what is offered always
/// looks new, and what was there before is sent again.
/// </summary>
public sealed class SecretRefusalTests
{
    [Fact]
    public async Task Refused_GetsBackWhatWasBefore_AndStaysRefused()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Secrets = { ["a"] = 1, ["b"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(SecretType, ["a", "b"]);
        await peer.TakeAsync();

        await fixture.PublishAsync(new Snapshots { Revision = 2, Secrets = { ["a"] = 2, ["b"] = 1 } });
        var refused = await peer.ReadAsync();
        await peer.NackAsync(refused, "no");
        var restored = await peer.TakeAsync();

        Read(refused).ShouldHaveSingleItem().ShouldStartWith("a certificate 2\n");
        Read(restored).ShouldHaveSingleItem().ShouldStartWith("a certificate 1\n");
        await Until.TrueAsync(() => fixture.Server.Acks.Rejections.Length == 1);
        fixture.Server.Acks.Rejections.ShouldBe([new XdsRejection(SecretType, "a", "", "no")]);
        await peer.ShouldBeQuietAsync();

        await fixture.PublishAsync(new Snapshots { Revision = 3, Secrets = { ["a"] = 3, ["b"] = 1 } });
        Read(await peer.TakeAsync()).ShouldHaveSingleItem().ShouldStartWith("a certificate 3\n");
        await Until.TrueAsync(() => fixture.Server.Acks.Rejections.IsEmpty);
    }

    [Fact]
    public async Task RefusedTogether_IsOfferedAgainAsAnother_SoThatEnvoyLooksAtIt()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Secrets = { ["a"] = 1, ["b"] = 1, ["c"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(SecretType, ["a", "b", "c"]);

        // As Envoy does: what equals the last, refused or not, is taken.
        var seen = new HashSet<string>();
        for (var taken = 0; taken < 2;)
        {
            var response = await peer.ReadAsync();
            if (Read(response).Any(text => seen.Add(text) && text.StartsWith("b ", StringComparison.Ordinal)))
            {
                await peer.NackAsync(response, "no");
            }
            else
            {
                taken += response.Resources.Count;
                await peer.AckAsync(response);
            }
        }

        await Until.TrueAsync(() => fixture.Server.Acks.Rejections.Length == 1);
        fixture.Server.Acks.Rejections.ShouldBe([new XdsRejection(SecretType, "b", "", "no")]);
    }

    [Fact]
    public async Task OtherPrograms_GetItAsItIs()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Secrets = { ["a"] = 1 } });
        await using var peer = await fixture.DeltaAsync();

        await peer.SubscribeAsync(SecretType, ["a"], version: null);

        Read(await peer.TakeAsync()).ShouldBe(["a certificate 1"]);
    }

    private static string[] Read(DiscoveryV3.DeltaDiscoveryResponse response) => [.. response.Resources.Select(resource =>
    {
        var secret = Secret.Parser.ParseFrom(resource.Resource_.Value);
        return $"{resource.Name} {secret.TlsCertificate.CertificateChain.InlineBytes.ToStringUtf8()}";
    })];
}
