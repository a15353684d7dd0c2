using System.Threading.Channels;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>A QUIC connection in memory: the proxy's end of it, and beside that what the client does at the other one.</summary>
internal sealed class MemoryQuicConnection : QuicTransportConnection
{
    private readonly Lock _gate = new();
    private readonly Channel<MemoryQuicStream> _accepted = Channel.CreateUnbounded<MemoryQuicStream>();
    private readonly Channel<MemoryQuicStream> _opened = Channel.CreateUnbounded<MemoryQuicStream>();
    private readonly List<MemoryQuicStream> _streams = [];
    private readonly TaskCompletionSource<long?> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _requests;
    private long _unidirectional;
    private long _own;
    private bool _endedByPeer;

    public override bool IsEndedByPeer => _endedByPeer;

    /// <summary>What the proxy closed it with; null when the client ended it.</summary>
    public Task<long?> Closed => _closed.Task;

    /// <summary>The proxy may open a stream once this has ended.</summary>
    public Task MayOpen { get; set; } = Task.CompletedTask;

    public override async ValueTask<QuicTransportStream?> AcceptStreamAsync()
    {
        while (await _accepted.Reader.WaitToReadAsync())
        {
            if (_closed.Task.IsCompleted) return null;
            if (_accepted.Reader.TryRead(out var stream))
            {
                stream.IsAccepted = true;
                return stream;
            }
        }

        return null;
    }

    public override async ValueTask<QuicTransportStream?> OpenUnidirectionalStreamAsync()
    {
        await Task.WhenAny(MayOpen, _closed.Task);
        lock (_gate)
        {
            if (_closed.Task.IsCompleted) return null;
            var stream = new MemoryQuicStream((_own++ << 2) | 3);
            _streams.Add(stream);
            _opened.Writer.TryWrite(stream);
            return stream;
        }
    }

    public override void Close(long errorCode) => End(errorCode);

    /// <summary>The client opens a stream for a request.</summary>
    public MemoryQuicStream Open() => Open(Interlocked.Increment(ref _requests) - 1 << 2);

    /// <summary>The client opens a stream that only it writes to.</summary>
    public MemoryQuicStream OpenUnidirectional() => Open((Interlocked.Increment(ref _unidirectional) - 1 << 2) | 2);

    /// <summary>The next stream that the proxy has opened.</summary>
    public Task<MemoryQuicStream> OpenedAsync() => _opened.Reader.ReadAsync().AsTask().WaitAsync(Until.Limit);

    /// <summary>The client ends the connection, or is lost.</summary>
    public void EndByPeer()
    {
        _endedByPeer = true;
        End(null);
    }

    private MemoryQuicStream Open(long id)
    {
        var stream = new MemoryQuicStream(id);
        lock (_gate)
        {
            if (!_closed.Task.IsCompleted)
            {
                _streams.Add(stream);
                _accepted.Writer.TryWrite(stream);
                return stream;
            }
        }

        stream.Lose();
        return stream;
    }

    private void End(long? errorCode)
    {
        MemoryQuicStream[] streams;
        lock (_gate)
        {
            if (!_closed.TrySetResult(errorCode)) return;
            streams = [.. _streams];
        }

        foreach (var stream in streams) stream.Lose();
        _accepted.Writer.TryComplete();
    }
}
