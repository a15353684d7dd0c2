using System.Buffers;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tcp;

/// <summary>The one stream of a <see cref="TunnelClientConnection"/>.</summary>
internal sealed class TunnelClientStream : HttpClientStream
{
    private const int BufferSize = 16 * 1024;

    private readonly TunnelClientConnection _connection;
    private byte[] _buffer = [];
    private volatile StreamResetReason _reset;
    private bool _ended;

    public TunnelClientStream(TunnelClientConnection connection)
    {
        _connection = connection;
        Version = HttpProtocolVersion.Http11;
    }

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> WriteHeadersAsync(HeaderMap headers, bool endStream) => endStream ? EndAsync() : default;

    /// <inheritdoc/>
    public override async ValueTask<StreamResetReason> WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
    {
        if (_reset != StreamResetReason.None)
        {
            return _reset;
        }

        if (data.Length > 0)
        {
            if (!await _connection.Transport.WriteAsync(data))
            {
                return Broken();
            }

            BytesSent += data.Length;
        }

        return endStream ? await EndAsync() : StreamResetReason.None;
    }

    /// <summary>Trailers have no place in a tunnel: the end of the request is the end of its bytes.</summary>
    public override ValueTask<StreamResetReason> WriteTrailersAsync(HeaderMap trailers) => EndAsync();

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> FlushAsync() => new(_reset);

    /// <summary>The connection is there: that is the answer to CONNECT.</summary>
    public override ValueTask<ClientHeadersRead> ReadHeadersAsync()
    {
        ResponseHeaders.Clear();
        ResponseHeaders.Add(KnownHeader.Status, "200"u8);
        return new ValueTask<ClientHeadersRead>(new ClientHeadersRead(false, _reset));
    }

    /// <inheritdoc/>
    public override async ValueTask<BodyRead> ReadBodyAsync()
    {
        if (_ended)
        {
            return BodyRead.End;
        }

        // The last piece has been used: while nothing comes, nothing is held.
        DropBuffer();
        var read = await _connection.Transport.ReadAsync(Memory<byte>.Empty);
        if (read >= 0)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
            read = await _connection.Transport.ReadAsync(_buffer);
        }

        if (read < 0)
        {
            return BodyRead.Failed(Broken());
        }

        BytesReceived += read;
        _ended = read == 0;
        return new BodyRead(_buffer.AsMemory(0, read), _ended);
    }

    /// <inheritdoc/>
    public override void Reset(StreamResetReason reason)
    {
        if (_reset == StreamResetReason.None)
        {
            _reset = reason == StreamResetReason.None ? StreamResetReason.LocalReset : reason;
        }

        _connection.Close(reason);
    }

    /// <inheritdoc/>
    public override void Release()
    {
        _connection.Close(StreamResetReason.None);
        DropBuffer();
    }

    private void DropBuffer()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private async ValueTask<StreamResetReason> EndAsync()
    {
        await _connection.Transport.ShutdownWriteAsync();
        return _reset;
    }

    private StreamResetReason Broken()
    {
        if (_reset == StreamResetReason.None)
        {
            _reset = StreamResetReason.ConnectionTermination;
        }

        return _reset;
    }
}
