using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tls;

/// <summary>A transport as the stream below SslStream, with bytes in front that were read to choose the filter chain.</summary>
internal sealed class TransportStream(TransportConnection transport, ReadOnlyMemory<byte> prefix) : Stream
{
    private ReadOnlyMemory<byte> _prefix = prefix;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_prefix.IsEmpty)
        {
            var taken = Math.Min(buffer.Length, _prefix.Length);
            _prefix.Span[..taken].CopyTo(buffer.Span);
            _prefix = _prefix[taken..];
            return new ValueTask<int>(taken);
        }

        var pending = transport.ReadAsync(buffer);
        return pending.IsCompletedSuccessfully ? new ValueTask<int>(Checked(pending.Result)) : FinishAsync(pending);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var pending = transport.WriteAsync(buffer);
        if (!pending.IsCompletedSuccessfully)
            return FinishAsync(pending);
        if (!pending.Result)
            throw new IOException("The connection is broken.");
        return ValueTask.CompletedTask;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static int Checked(int read) => read >= 0 ? read : throw new IOException("The connection is broken.");

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private static async ValueTask<int> FinishAsync(ValueTask<int> pending) => Checked(await pending);

    [AsyncMethodBuilder(typeof(PooledBuilder))]
    private static async ValueTask FinishAsync(ValueTask<bool> pending)
    {
        if (!await pending)
            throw new IOException("The connection is broken.");
    }
}
