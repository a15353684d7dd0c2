using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Upstream;
using Nuncio.Grpc;
using Nuncio.Grpc.Client;

namespace Nuncio.DataPlane.External;

/// <summary>
/// A stream of <see cref="ClusterGrpcTransport"/>. Counted, since a reader or a writer may hold it when it is given up: it goes back to its pool only when
/// nobody can touch it any more.
/// </summary>
internal sealed class ClusterGrpcStream(HttpClientStream stream, EndpointPool pool) : GrpcTransportStream
{
    private GrpcMetadata _trailers = GrpcMetadata.Empty;
    private BodyRead _read;
    private int _readStart;
    private bool _ended;
    private int _references = 1;
    private int _disposed;

    /// <inheritdoc/>
    public override GrpcMetadata Trailers => _trailers;

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool endOfStream, CancellationToken cancellation)
    {
        Enter();
        try
        {
            await using (cancellation.UnsafeRegister(static state => ((HttpClientStream)state!).Reset(StreamResetReason.LocalReset), stream))
            {
                if (await stream.WriteBodyAsync(data, endOfStream) != StreamResetReason.None || await stream.FlushAsync() != StreamResetReason.None)
                {
                    throw Broken(cancellation);
                }
            }
        }
        finally
        {
            Exit();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<GrpcResponseHead> ReadHeadAsync(CancellationToken cancellation)
    {
        Enter();
        try
        {
            await using (cancellation.UnsafeRegister(static state => ((HttpClientStream)state!).Reset(StreamResetReason.LocalReset), stream))
            {
                ClientHeadersRead head;
                do
                {
                    head = await stream.ReadHeadersAsync();
                }
                while (head.Error == StreamResetReason.None && stream.ResponseHeaders.Status is >= 100 and < 200);
                if (head.Error != StreamResetReason.None)
                {
                    throw Broken(cancellation);
                }

                _ended = head.EndStream;
                return new GrpcResponseHead(stream.ResponseHeaders.Status, Copy(stream.ResponseHeaders));
            }
        }
        finally
        {
            Exit();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        // What was read belongs to the stream, which may be given up at any time.
        Enter();
        try
        {
            if (_readStart < _read.Data.Length)
            {
                return Take(buffer);
            }

            while (!_ended)
            {
                await using (cancellation.UnsafeRegister(static state => ((HttpClientStream)state!).Reset(StreamResetReason.LocalReset), stream))
                {
                    _read = await stream.ReadBodyAsync();
                }

                _readStart = 0;
                if (_read.Error != StreamResetReason.None)
                {
                    throw Broken(cancellation);
                }

                if (_read.EndStream)
                {
                    _ended = true;
                    _trailers = Copy(stream.ResponseTrailers);
                }

                if (!_read.Data.IsEmpty)
                {
                    return Take(buffer);
                }
            }

            return 0;
        }
        finally
        {
            Exit();
        }
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            stream.Reset(StreamResetReason.LocalReset);
            Exit();
        }

        return default;
    }

    private static GrpcStatusException Broken(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new GrpcStatusException(GrpcStatusCode.Unavailable, "The stream broke.");
    }

    private static GrpcMetadata Copy(HeaderMap headers)
    {
        var copy = new GrpcMetadata();
        foreach (var header in headers)
        {
            if (!header.IsPseudo)
            {
                copy.Add(Encoding.ASCII.GetString(header.Name), Encoding.Latin1.GetString(header.Value));
            }
        }

        return copy;
    }

    private int Take(Memory<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _read.Data.Length - _readStart);
        _read.Data.Slice(_readStart, count).CopyTo(buffer);
        _readStart += count;
        return count;
    }

    private void Enter()
    {
        if (Volatile.Read(ref _disposed) != 0)
        {
            throw new GrpcStatusException(GrpcStatusCode.Cancelled, "The call was given up.");
        }

        Interlocked.Increment(ref _references);
    }

    private void Exit()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            pool.Finish(stream);
        }
    }
}
