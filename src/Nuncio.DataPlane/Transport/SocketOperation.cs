using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Nuncio.DataPlane.Transport;

/// <summary>
/// One direction of a socket as a reusable awaitable: no allocation per operation, no exception for an error, and the continuation runs on the thread
/// that completes the operation.
/// </summary>
internal sealed class SocketOperation : SocketAsyncEventArgs, IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _source;

    private readonly Action<SocketOperation> _finished;

    /// <summary>An operation.</summary>
    /// <param name="finished">Told of each outcome before who waits for it.</param>
    public SocketOperation(Action<SocketOperation> finished)
        : base(true) // no execution context: nothing on the request path reads one
    {
        _finished = finished;
    }

    /// <summary>Bytes moved, or -1.</summary>
    public int Outcome => SocketError == SocketError.Success ? BytesTransferred : -1;

    /// <summary>The outcome of an operation that completed synchronously.</summary>
    public int Finish()
    {
        _finished(this);
        return Outcome;
    }

    /// <summary>To be called before an operation starts whose result is awaited through <see cref="Pending"/>.</summary>
    public void Prepare() => _source.Reset();

    /// <summary>The operation that was started and has not completed synchronously.</summary>
    public ValueTask<int> Pending => new(this, _source.Version);

    int IValueTaskSource<int>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        // Without the scheduling context flag: nothing here runs under a synchronisation context, and looking for one costs.
        _source.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);

    protected override void OnCompleted(SocketAsyncEventArgs e) => _source.SetResult(Finish());
}
