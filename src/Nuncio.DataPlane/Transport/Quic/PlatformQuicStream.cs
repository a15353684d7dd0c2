using System.Net.Quic;
using System.Runtime.Versioning;

namespace Nuncio.DataPlane.Transport.Quic;

/// <summary>A stream of the platform's QUIC.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class PlatformQuicStream : QuicTransportStream
{
    private readonly QuicStream _stream;
    private IQuicStreamWatcher? _watcher;

    public PlatformQuicStream(QuicStream stream) => _stream = stream;

    /// <inheritdoc/>
    public override long Id => _stream.Id;

    /// <inheritdoc/>
    public override bool IsBidirectional => _stream.Type == QuicStreamType.Bidirectional;

    /// <inheritdoc/>
    public override bool HasPeerEnded => _stream.ReadsClosed.IsCompletedSuccessfully;

    /// <summary>How the platform says that a stream or connection is no more.</summary>
    public static bool IsExpected(Exception exception) =>
        exception is QuicException or OperationCanceledException or ObjectDisposedException or InvalidOperationException or IOException;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await _stream.ReadAsync(buffer);
        }
        catch (Exception e) when (IsExpected(e))
        {
            return -1;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<bool> WaitAsync()
    {
        try
        {
            await _stream.ReadAsync(Memory<byte>.Empty);
            return true;
        }
        catch (Exception e) when (IsExpected(e))
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, bool end)
    {
        try
        {
            await _stream.WriteAsync(data, end);
            return true;
        }
        catch (Exception e) when (IsExpected(e))
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override void AbortRead(long errorCode) => Abort(QuicAbortDirection.Read, errorCode);

    /// <inheritdoc/>
    public override void AbortWrite(long errorCode) => Abort(QuicAbortDirection.Write, errorCode);

    /// <inheritdoc/>
    public override void Watch(IQuicStreamWatcher watcher)
    {
        _watcher = watcher;
        _ = WatchAsync(_stream.ReadsClosed);
        _ = WatchAsync(_stream.WritesClosed);
    }

    /// <inheritdoc/>
    public override ValueTask CloseAsync() => _stream.DisposeAsync();

    private async Task WatchAsync(Task closed)
    {
        try
        {
            await closed;
        }
        catch (QuicException e)
        {
            // What was given up here is no news.
            if (e.QuicError != QuicError.OperationAborted && Interlocked.Exchange(ref _watcher, null) is { } watcher)
            {
                watcher.OnStreamAborted(e.QuicError != QuicError.StreamAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // Given up here.
        }
    }

    private void Abort(QuicAbortDirection direction, long errorCode)
    {
        try
        {
            _stream.Abort(direction, errorCode);
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }
}
