using System.Collections.Concurrent;
using Google.Protobuf;

namespace Nuncio.DataPlane.Tracing;

/// <summary>One driver per configuration, whatever listeners come and go.</summary>
internal sealed class TraceDrivers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ByteString, Lazy<TraceDriver>> _drivers = new();

    /// <summary>The driver of a configuration.</summary>
    /// <param name="key">The configuration's bytes.</param>
    /// <param name="create">Makes it where it is new.</param>
    public TraceDriver Get(ByteString key, Func<TraceDriver> create) => _drivers.GetOrAdd(key, _ => new Lazy<TraceDriver>(create)).Value;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var driver in _drivers.Values)
        {
            await driver.Value.DisposeAsync();
        }
    }
}
