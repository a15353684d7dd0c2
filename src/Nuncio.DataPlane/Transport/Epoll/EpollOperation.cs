using System.Threading.Tasks.Sources;

namespace Nuncio.DataPlane.Transport.Epoll;

/// <summary>The wait of one direction of a socket, used over and over; whoever waits goes on inline.</summary>
internal sealed class EpollOperation<TResult> : IValueTaskSource<TResult>
{
    private ManualResetValueTaskSourceCore<TResult> _source;

    /// <summary>Begins a wait.</summary>
    public ValueTask<TResult> Begin()
    {
        _source.Reset();
        return new ValueTask<TResult>(this, _source.Version);
    }

    /// <summary>Ends it.</summary>
    public void SetResult(TResult result) => _source.SetResult(result);

    TResult IValueTaskSource<TResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<TResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);
}
