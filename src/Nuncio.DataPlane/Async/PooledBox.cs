using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Nuncio.DataPlane.Async;

/// <summary>The result of one call of an asynchronous method that had to wait.</summary>
internal class PooledBox<TResult> : IValueTaskSource<TResult>, IValueTaskSource
{
    private static readonly Action NeverMoves = static () => { };

    private ManualResetValueTaskSourceCore<TResult> _source;

    /// <summary>Goes on with the method.</summary>
    public Action MoveNext { get; protected init; } = NeverMoves;

    /// <summary>What ties a value task to this call.</summary>
    public short Version => _source.Version;

    /// <summary>The method returned.</summary>
    public void SetResult(TResult result) => _source.SetResult(result);

    /// <summary>The method threw.</summary>
    public void SetException(Exception exception) => _source.SetException(exception);

    /// <inheritdoc/>
    public TResult GetResult(short token)
    {
        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            Finish(token);
        }
    }

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    /// <inheritdoc/>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    /// <summary>The call is over, and its result was taken: the box may be used again.</summary>
    protected virtual void Return()
    {
    }

    private void Finish(short token)
    {
        // A token of an earlier call is a mistake of the caller's, which has thrown already; the call that is open now must not suffer.
        if (token == _source.Version)
        {
            _source.Reset();
            Return();
        }
    }
}

/// <summary>A waiting call of one method, with its state machine. Kept by thread, since a request begins and ends on the thread of its socket.</summary>
internal sealed class PooledBox<TResult, TStateMachine> : PooledBox<TResult>
    where TStateMachine : IAsyncStateMachine
{
    private const int MaxKept = 1024;

    [ThreadStatic]
    private static PooledBox<TResult, TStateMachine>? kept;

    [ThreadStatic]
    private static int keptCount;

    /// <summary>The method's variables.</summary>
    public TStateMachine StateMachine = default!;

    private PooledBox<TResult, TStateMachine>? _next;

    private PooledBox() => MoveNext = Go;

    /// <summary>A box without a state machine.</summary>
    public static PooledBox<TResult, TStateMachine> Rent()
    {
        if (kept is not { } box)
        {
            return new PooledBox<TResult, TStateMachine>();
        }

        kept = box._next;
        box._next = null;
        keptCount--;
        return box;
    }

    /// <inheritdoc/>
    protected override void Return()
    {
        StateMachine = default!;
        if (keptCount < MaxKept)
        {
            _next = kept;
            kept = this;
            keptCount++;
        }
    }

    private void Go() => StateMachine.MoveNext();
}
