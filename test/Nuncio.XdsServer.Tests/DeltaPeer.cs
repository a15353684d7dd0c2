using Envoy.Config.Core.V3;
using Nuncio.Grpc.Client;

namespace Nuncio.XdsServer.Tests;

/// <summary>A client of the incremental protocol.</summary>
internal sealed class DeltaPeer(GrpcDuplexCall<DiscoveryV3.DeltaDiscoveryRequest, DiscoveryV3.DeltaDiscoveryResponse> call) : IAsyncDisposable
{
    private Task<DiscoveryV3.DeltaDiscoveryResponse?>? _reading;

    public ValueTask SubscribeAsync(string type, IEnumerable<string>? names = null, IReadOnlyDictionary<string, string>? known = null, string? version = "1.36")
    {
        var request = new DiscoveryV3.DeltaDiscoveryRequest { TypeUrl = type, Node = PeerNode.Of(version) };
        request.ResourceNamesSubscribe.AddRange(names ?? []);
        foreach (var (name, content) in known ?? new Dictionary<string, string>()) request.InitialResourceVersions.Add(name, content);
        return call.WriteAsync(request);
    }

    public ValueTask UnsubscribeAsync(string type, params string[] names) =>
        call.WriteAsync(new DiscoveryV3.DeltaDiscoveryRequest { TypeUrl = type, ResourceNamesUnsubscribe = { names } });

    public ValueTask AckAsync(DiscoveryV3.DeltaDiscoveryResponse response) =>
        call.WriteAsync(new DiscoveryV3.DeltaDiscoveryRequest { TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce });

    public ValueTask NackAsync(DiscoveryV3.DeltaDiscoveryResponse response, string message) => call.WriteAsync(new DiscoveryV3.DeltaDiscoveryRequest
    {
        TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce, ErrorDetail = new Google.Rpc.Status { Code = 13, Message = message },
    });

    public async Task<DiscoveryV3.DeltaDiscoveryResponse> ReadAsync()
    {
        _reading ??= call.ReadAsync().AsTask();
        var response = await _reading.WaitAsync(Until.Limit);
        _reading = null;
        return response.ShouldNotBeNull();
    }

    public async Task<DiscoveryV3.DeltaDiscoveryResponse> TakeAsync()
    {
        var response = await ReadAsync();
        await AckAsync(response);
        return response;
    }

    /// <summary>The next response, or null when none has come until a condition holds.</summary>
    public async Task<DiscoveryV3.DeltaDiscoveryResponse?> ReadUnlessAsync(Func<bool> condition)
    {
        _reading ??= call.ReadAsync().AsTask();
        await Until.TrueAsync(() => _reading.IsCompleted || condition(), what: "a response, or the end of what is refused");
        return _reading.IsCompleted ? await ReadAsync() : null;
    }

    /// <summary>Nothing came although there was time for it. What comes later is read by the next <see cref="ReadAsync"/>.</summary>
    public async Task ShouldBeQuietAsync()
    {
        _reading ??= call.ReadAsync().AsTask();
        (await Task.WhenAny(_reading, Task.Delay(150))).ShouldNotBe(_reading);
    }

    public ValueTask DisposeAsync() => call.DisposeAsync();
}
