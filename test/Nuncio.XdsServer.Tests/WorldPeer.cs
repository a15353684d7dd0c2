using Envoy.Config.Core.V3;
using Nuncio.Grpc.Client;

namespace Nuncio.XdsServer.Tests;

/// <summary>A client of the state of the world.</summary>
internal sealed class WorldPeer(GrpcDuplexCall<DiscoveryV3.DiscoveryRequest, DiscoveryV3.DiscoveryResponse> call) : IAsyncDisposable
{
    public ValueTask SubscribeAsync(string type, params string[] names) =>
        call.WriteAsync(new DiscoveryV3.DiscoveryRequest { TypeUrl = type, Node = PeerNode.Of("1.36"), ResourceNames = { names } });

    public ValueTask AckAsync(DiscoveryV3.DiscoveryResponse response, params string[] names) => call.WriteAsync(new DiscoveryV3.DiscoveryRequest
    {
        TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce, VersionInfo = response.VersionInfo, ResourceNames = { names },
    });

    public ValueTask NackAsync(DiscoveryV3.DiscoveryResponse response, string message, params string[] names) => call.WriteAsync(new DiscoveryV3.DiscoveryRequest
    {
        TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce, ResourceNames = { names }, ErrorDetail = new Google.Rpc.Status { Code = 13, Message = message },
    });

    public async Task<DiscoveryV3.DiscoveryResponse> ReadAsync() => (await call.ReadAsync().AsTask().WaitAsync(Until.Limit)).ShouldNotBeNull();

    public async Task<DiscoveryV3.DiscoveryResponse> TakeAsync(params string[] names)
    {
        var response = await ReadAsync();
        await AckAsync(response, names);
        return response;
    }

    public ValueTask DisposeAsync() => call.DisposeAsync();
}
