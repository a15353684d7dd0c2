using System.Buffers;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane;
using Nuncio.DataPlane.Telemetry;
using Nuncio.Xds;

namespace Nuncio.Host.Planes;

/// <summary>The proxy in this process.</summary>
internal sealed class EmbeddedPlane(ILoggerFactory loggers, TimeProvider time) : IGatewayPlane
{
    private readonly EmbeddedProxy _proxy = new(loggers, time);

    /// <inheritdoc/>
    public event Action? Changed
    {
        add { }
        remove { }
    }

    /// <inheritdoc/>
    public bool IsServing => true;

    /// <inheritdoc/>
    public bool HasAccepted(long revision) => true;

    /// <inheritdoc/>
    public ImmutableArray<XdsRejection> Rejections { get; private set; } = [];

    /// <inheritdoc/>
    public Task<string?> StartAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    /// <inheritdoc/>
    public async ValueTask<XdsAck> ApplyAsync(XdsSnapshot snapshot, CancellationToken cancellationToken)
    {
        var ack = await _proxy.ApplyAsync(snapshot, cancellationToken);
        Rejections = ack.Rejections;
        return ack;
    }

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>?> MetricsAsync(CancellationToken cancellationToken)
    {
        var text = new ArrayBufferWriter<byte>(16384);
        PrometheusTextWriter.Write(_proxy.Metrics, text);
        return Task.FromResult<ReadOnlyMemory<byte>?>(text.WrittenMemory);
    }

    /// <inheritdoc/>
    public Task DrainAsync(TimeSpan time, CancellationToken cancellationToken) => _proxy.DrainAsync(time, cancellationToken).AsTask();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _proxy.DisposeAsync();
}
