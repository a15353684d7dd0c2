using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Forwarding;

/// <content>
/// The request body. One pump reads it from the client for the whole request, whatever number of tries there are; a new try first gets what was kept
/// so far from the main flow, and takes over from there. While no try is ready the pump keeps what comes, up to the cluster's limit.
/// </content>
internal sealed partial class ForwardState
{
    private const int SmallestBuffer = 4096;

    private readonly Signal _attached = new();
    private ValueTask<bool> _pump;
    private bool _pumpStarted;
    private bool _hasBody;
    private long _requestEndedAt;
    private uint _keepLimit;

    // Guarded by the lock.
    private byte[] _kept = [];
    private int _keptLength;
    private int _keptCharge;
    private bool _keeping;
    private bool _requestEnded;
    private bool _hasTrailers;
    private bool _isHolding;
    private UpstreamAttempt? _target;

    private void BeginBody()
    {
        _hasBody = !_exchange.RequestHasNoBody;
        _requestEnded = !_hasBody;
        _hasTrailers = _isHolding = false;
        _pumpStarted = false;
        _pump = default;
        _keptLength = 0;
        _keeping = _hasBody;
        _keepLimit = (uint)Math.Min(
            _exchange.Route?.RequestBodyBufferLimit ?? _exchange.VirtualHost?.RequestBodyBufferLimit ?? _cluster.Model.BufferLimit, int.MaxValue / 2);
        _target = null;
        _attached.Clear();
    }

    private async ValueTask EndBodyAsync()
    {
        if (_pumpStarted)
        {
            await _pump;
        }

        _mirrors.Clear();
        lock (_gate)
        {
            DropKept(canReuse: true);
        }
    }

    // Under the lock. What is kept is of no use any more: the memory is given back while the answer is still under way, which may be for long.
    private void DropKept(bool canReuse)
    {
        _keeping = false;
        _keptLength = 0;
        if (_keptCharge > 0)
        {
            _exchange.Release(_keptCharge);
            _keptCharge = 0;
        }

        if (_kept.Length == 0)
        {
            return;
        }

        if (canReuse)
        {
            ArrayPool<byte>.Shared.Return(_kept);
        }

        _kept = [];
    }

    private void StartPump()
    {
        if (_hasBody && !_pumpStarted)
        {
            _pumpStarted = true;
            _pump = PumpAsync();
        }
    }

    // Hands what was kept to a new try and lets the pump go on with it. The pump writes only to a try that has been attached here.
    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<StreamResetReason> ReplayAsync(UpstreamAttempt attempt)
    {
        var sent = 0;
        // A pump that waits for the client already has nobody else to send the head for it; and once it is attached it is the only writer.
        var flushed = !_pumpStarted;
        while (true)
        {
            ReadOnlyMemory<byte> piece;
            bool last;
            lock (_gate)
            {
                piece = _kept.AsMemory(sent, _keptLength - sent);
                last = _requestEnded;
                if (piece.IsEmpty && !last && flushed)
                {
                    _target = attempt;
                    if (!_retry.IsPossible)
                    {
                        DropKept(canReuse: true);
                    }

                    if (_isHolding)
                    {
                        _isHolding = false;
                        _attached.Raise();
                    }

                    return StreamResetReason.None;
                }
            }

            var error = StreamResetReason.None;
            if (last)
            {
                error = await WriteEndAsync(attempt.Stream, piece);
                return error == StreamResetReason.None ? await attempt.Stream.FlushAsync() : error;
            }

            flushed = piece.IsEmpty || !_pumpStarted;
            error = piece.IsEmpty ? await attempt.Stream.FlushAsync() : await attempt.Stream.WriteBodyAsync(piece, false);
            if (error != StreamResetReason.None)
            {
                return error;
            }

            sent += piece.Length;
        }
    }

    private ValueTask<StreamResetReason> WriteEndAsync(HttpClientStream stream, ReadOnlyMemory<byte> data) =>
        _hasTrailers ? WriteTrailersAsync(stream, data) : stream.WriteBodyAsync(data, true);

    private async ValueTask<StreamResetReason> WriteTrailersAsync(HttpClientStream stream, ReadOnlyMemory<byte> data)
    {
        if (data.Length > 0 && await stream.WriteBodyAsync(data, false) is not StreamResetReason.None and var error)
        {
            return error;
        }

        return await stream.WriteTrailersAsync(_exchange.Downstream.RequestTrailers);
    }

    // True when the body was read to its end.
    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<bool> PumpAsync()
    {
        while (true)
        {
            if (_mirrors.Count > 0)
            {
                await WaitForMirrorsAsync();
            }

            var reading = _exchange.RequestBody.ReadBodyAsync();
            if (!reading.IsCompleted)
            {
                // The client is slower than we are: what it has sent so far goes out.
                await FlushTargetAsync();
                Touch();
            }

            var read = await reading;
            if (read.Error != StreamResetReason.None)
            {
                // Otherwise nobody wants it any more, or the client is gone, which the abort handler knows.
                if (read.Error == StreamResetReason.ProtocolError && _exchange.Downstream.Version < HttpProtocolVersion.Http2)
                {
                    Interrupt(ForwardEnd.BadBody, read.Error, null, 0);
                }

                return false;
            }

            if (_mirrors.Count > 0)
            {
                Mirror(read);
            }

            var (target, hold) = Take(read);
            if (hold)
            {
                // No room and no try to send it to: the client waits.
                await _attached.WaitAsync();
                lock (_gate)
                {
                    if (!_active || _end != ForwardEnd.None)
                    {
                        return false;
                    }

                    target = _target;
                    target?.AddReference();
                    if (read.EndStream)
                    {
                        _requestEnded = true;
                    }
                }
            }

            if (read.EndStream)
            {
                OnRequestRead();
            }

            if (target != null && !await SendAsync(target, read))
            {
                return false;
            }

            if (read.EndStream)
            {
                return true;
            }
        }
    }

    private (UpstreamAttempt? Target, bool Hold) Take(BodyRead read)
    {
        lock (_gate)
        {
            if (read.EndStream)
            {
                _hasTrailers = _exchange.Downstream.RequestTrailers.Count > 0;
            }

            if (_keeping)
            {
                if (_keptLength + read.Data.Length > _keepLimit || !TryKeep(read.Data.Span))
                {
                    // Too much to send again.
                    if (_retry.IsPossible)
                    {
                        _cluster.Metrics.RetryOrShadowAbandoned.Increment();
                        _retry.Stop();
                    }

                    if (_target == null)
                    {
                        _isHolding = true;
                        _attached.Clear();
                        return (null, true);
                    }

                    DropKept(canReuse: false);
                }
            }

            _requestEnded |= read.EndStream;
            _target?.AddReference();
            return (_target, false);
        }
    }

    // False: memory is short. Then it is as if it were too much to keep.
    private bool TryKeep(ReadOnlySpan<byte> data)
    {
        if (_keptLength + data.Length > _kept.Length)
        {
            // The old one may be being sent: it is left to the garbage collector.
            var size = (int)Math.Min(
                BitOperations.RoundUpToPowerOf2((uint)Math.Max(SmallestBuffer, Math.Max(_kept.Length * 2L, _keptLength + (long)data.Length))), (uint)Array.MaxLength);
            var charge = size > SmallestBuffer ? size - _keptCharge : 0;
            if (charge > 0 && !_exchange.TryKeep(charge))
            {
                return false;
            }

            byte[] bigger;
            try
            {
                bigger = ArrayPool<byte>.Shared.Rent(size);
            }
            catch (OutOfMemoryException)
            {
                _exchange.Release(charge);
                return false;
            }

            _kept.AsSpan(0, _keptLength).CopyTo(bigger);
            _kept = bigger;
            _keptCharge += charge;
        }

        data.CopyTo(_kept.AsSpan(_keptLength));
        _keptLength += data.Length;
        return true;
    }

    private void OnRequestRead()
    {
        if (_exchange.IsUpgrade && _exchange.ResponseStatus == 101 && _exchange.Downstream.Version < HttpProtocolVersion.Http2
            && !_exchange.Downstream.ResponseEnded)
        {
            // Of a tunnel there is no request to be complete: the client has gone first.
            _exchange.Flags |= Pipeline.ResponseFlags.DownstreamConnectionTermination;
        }

        _exchange.RequestEndTimestamp = _exchange.Clock.GetTimestamp();
        OnRequestEnded();
        lock (_gate)
        {
            if (_target != null && !_responseStarted)
            {
                StartPerTry();
            }
        }
    }

    // False when there is no use in reading on.
    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<bool> SendAsync(UpstreamAttempt target, BodyRead read)
    {
        StreamResetReason error;
        if (read.EndStream)
        {
            error = await WriteEndAsync(target.Stream, read.Data);
            if (error == StreamResetReason.None)
            {
                error = await target.Stream.FlushAsync();
                _exchange.Upstream.RequestEnded = _exchange.Clock.GetTimestamp();
            }
        }
        else
        {
            var write = target.Stream.WriteBodyAsync(read.Data, false);
            if (write.IsCompletedSuccessfully)
            {
                error = write.Result;
            }
            else
            {
                // The upstream takes no more for now, so the client is not read either.
                var metrics = _exchange.Statistics;
                _cluster.Metrics.FlowControlBackedUp.Increment();
                metrics?.FlowControlPausedReading.Increment();
                error = await write;
                _cluster.Metrics.FlowControlDrained.Increment();
                metrics?.FlowControlResumedReading.Increment();
            }
        }

        lock (_gate)
        {
            if (error != StreamResetReason.None && _target == target)
            {
                _target = null;
            }
        }

        target.Release();
        return error == StreamResetReason.None || _keeping;
    }

    private async ValueTask FlushTargetAsync()
    {
        UpstreamAttempt? target;
        lock (_gate)
        {
            target = _target;
            target?.AddReference();
        }

        if (target != null)
        {
            await target.Stream.FlushAsync();
            target.Release();
        }
    }
}
