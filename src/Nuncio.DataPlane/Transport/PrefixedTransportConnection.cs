using System.Net;

namespace Nuncio.DataPlane.Transport;

/// <summary>A connection whose first bytes were read already, to see what it speaks: they are read again first.</summary>
public sealed class PrefixedTransportConnection : TransportConnection
{
    private readonly TransportConnection _inner;
    private ReadOnlyMemory<byte> _prefix;

    /// <summary>Puts <paramref name="prefix"/>, which this keeps, in front of what <paramref name="inner"/> still has.</summary>
    public PrefixedTransportConnection(TransportConnection inner, ReadOnlyMemory<byte> prefix)
    {
        _inner = inner;
        _prefix = prefix;
    }

    /// <inheritdoc/>
    public override IPEndPoint RemoteEndPoint => _inner.RemoteEndPoint;

    /// <inheritdoc/>
    public override IPEndPoint LocalEndPoint => _inner.LocalEndPoint;

    /// <inheritdoc/>
    public override bool IsEndedByPeer => _inner.IsEndedByPeer;

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        if (_prefix.IsEmpty)
        {
            return _inner.ReadAsync(buffer);
        }

        var count = Math.Min(buffer.Length, _prefix.Length);
        _prefix[..count].CopyTo(buffer);
        _prefix = _prefix[count..];
        return new ValueTask<int>(count);
    }

    /// <inheritdoc/>
    public override ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> buffer) => _inner.WriteAsync(buffer);

    /// <inheritdoc/>
    public override ValueTask ShutdownWriteAsync() => _inner.ShutdownWriteAsync();

    /// <inheritdoc/>
    public override void EndWithNextWrite() => _inner.EndWithNextWrite();

    /// <inheritdoc/>
    public override void NoteEndByUs() => _inner.NoteEndByUs();

    /// <inheritdoc/>
    public override void Abort() => _inner.Abort();

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _inner.DisposeAsync();
}
