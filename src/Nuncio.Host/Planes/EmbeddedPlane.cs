using System.Buffers;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane;
using Nuncio.DataPlane.Overload;
using Nuncio.DataPlane.Telemetry;
using Nuncio.Xds;

namespace Nuncio.Host.Planes;

/// <summary>The proxy in this process.</summary>
internal sealed class EmbeddedPlane(ILoggerFactory loggers, TimeProvider time, OverloadOptions overload, bool refusesRoutesAlone = false) : IGatewayPlane
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(15);

    private readonly EmbeddedProxy _proxy = new(loggers, time, overload, refusesRoutesAlone: refusesRoutesAlone);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _ended = new();
    private XdsSnapshot? _snapshot;
    private Task? _retrying;

    /// <inheritdoc/>
    public event Action? Changed;

    /// <inheritdoc/>
    public bool IsServing => true;

    /// <inheritdoc/>
    public bool HasAccepted(long revision) => true;

    /// <inheritdoc/>
    public bool IsProven(long revision) => true;

    /// <inheritdoc/>
    public ImmutableArray<XdsRejection> Rejections { get; private set; } = [];

    /// <inheritdoc/>
    public bool IsReplaced => _proxy.IsReplaced;

    /// <inheritdoc cref="EmbeddedProxy.OpenListeners"/>
    public IEnumerable<string> OpenListeners => _proxy.OpenListeners;

    /// <inheritdoc/>
    public Task<string?> StartAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    /// <inheritdoc/>
    public async ValueTask<XdsAck> ApplyAsync(XdsSnapshot snapshot, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var ack = await _proxy.ApplyAsync(snapshot, cancellationToken);
            _snapshot = snapshot;
            Rejections = ack.Rejections;
            if (Rejections.Any(IsPortTaken) && _retrying is null or { IsCompleted: true })
                _retrying = RetryAsync();
            return ack;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>?> MetricsAsync(CancellationToken cancellationToken)
    {
        var text = new ArrayBufferWriter<byte>(16384);
        PrometheusTextWriter.Write(_proxy.Metrics, text);
        return Task.FromResult<ReadOnlyMemory<byte>?>(text.WrittenMemory);
    }

    /// <inheritdoc/>
    public async Task DrainAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        await EndRetriesAsync();
        await _proxy.DrainAsync(time, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndRetriesAsync();
        await _proxy.DisposeAsync();
        _ended.Dispose();
        _gate.Dispose();
    }

    private static bool IsPortTaken(XdsRejection rejection) => rejection is { FieldPath: "address", IsPartial: false };

    // Whoever has the port may give it back: applying the same snapshot again touches only what is not in effect.
    private async Task RetryAsync()
    {
        var delay = FirstRetry;
        try
        {
            while (true)
            {
                await Task.Delay(delay, time, _ended.Token);
                delay = delay * 2 < LongestRetry ? delay * 2 : LongestRetry;
                await _gate.WaitAsync(_ended.Token);
                bool changed, again;
                try
                {
                    var before = Rejections;
                    Rejections = (await _proxy.ApplyAsync(_snapshot!, _ended.Token)).Rejections;
                    changed = !before.SequenceEqual(Rejections);
                    again = Rejections.Any(IsPortTaken);
                    if (!again)
                        _retrying = null;
                }
                finally
                {
                    _gate.Release();
                }

                if (changed)
                    Changed?.Invoke();
                if (!again)
                    return;
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task EndRetriesAsync()
    {
        await _ended.CancelAsync();
        if (_retrying is { } retrying)
            await retrying;
    }
}
