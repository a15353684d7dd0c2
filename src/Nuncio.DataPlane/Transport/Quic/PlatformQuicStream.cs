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
    private volatile bool _readGivenUp;
    private volatile bool _writeGivenUp;

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
    public override void AbortRead(long errorCode)
    {
        _readGivenUp = true;
        Abort(QuicAbortDirection.Read, errorCode);
    }

    /// <inheritdoc/>
    public override void AbortWrite(long errorCode)
    {
        _writeGivenUp = true;
        Abort(QuicAbortDirection.Write, errorCode);
    }

    /// <inheritdoc/>
    public override void Watch(IQuicStreamWatcher watcher)
    {
        _watcher = watcher;
        _ = WatchAsync(_stream.ReadsClosed, isRead: true);
        if (IsBidirectional)
        {
            _ = WatchAsync(_stream.WritesClosed, isRead: false);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask WaitForDeliveryAsync() => await _stream.WritesClosed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <inheritdoc/>
    public override ValueTask CloseAsync()
    {
        _readGivenUp = _writeGivenUp = true;
        return _stream.DisposeAsync();
    }

    private async Task WatchAsync(Task closed, bool isRead)
    {
        try
        {
            await closed;
        }
        catch (QuicException e)
        {
            Tell(e.QuicError, isRead);
        }
        catch (OperationCanceledException)
        {
            Tell(QuicError.OperationAborted, isRead);
        }
    }

    // What was given up here is no news, unless it was so with the whole connection.
    private void Tell(QuicError error, bool isRead)
    {
        var isOurs = error == QuicError.OperationAborted && (isRead ? _readGivenUp : _writeGivenUp);
        if (!isOurs && Interlocked.Exchange(ref _watcher, null) is { } watcher)
        {
            watcher.OnStreamAborted(error != QuicError.StreamAborted);
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
