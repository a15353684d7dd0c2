using System.Runtime.CompilerServices;

namespace Nuncio.DataPlane.Async;

/// <summary>
/// Builds the value tasks of methods on the request path, as <see cref="PoolingAsyncValueTaskMethodBuilder"/> does, but keeps as many state machines as
/// there are requests at once: that one keeps three of a kind, so with more connections nearly every wait made garbage.
/// </summary>
/// <remarks>
/// Execution contexts do not flow and changes of them are not undone: nothing on the request path has any. Each value task is awaited exactly once.
/// </remarks>
internal struct PooledBuilder
{
    private PooledBuilder<bool> _inner;

    /// <summary>For the compiler.</summary>
    public readonly ValueTask Task => _inner.UntypedTask;

    /// <inheritdoc cref="Task"/>
    public static PooledBuilder Create() => default;

    /// <inheritdoc cref="Task"/>
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    /// <inheritdoc cref="Task"/>
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    /// <inheritdoc cref="Task"/>
    public void SetResult() => _inner.SetResult(true);

    /// <inheritdoc cref="Task"/>
    public void SetException(Exception exception) => _inner.SetException(exception);

    /// <inheritdoc cref="Task"/>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.OnCompleted(_inner.Box(ref stateMachine));

    /// <inheritdoc cref="Task"/>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.UnsafeOnCompleted(_inner.Box(ref stateMachine));
}

/// <summary>The same for methods with a result.</summary>
internal struct PooledBuilder<TResult>
{
    private PooledBox<TResult>? _box;
    private TResult _result;

    /// <summary>For the compiler.</summary>
    public readonly ValueTask<TResult> Task => _box is null ? new ValueTask<TResult>(_result) : new ValueTask<TResult>(_box, _box.Version);

    internal readonly ValueTask UntypedTask => _box is null ? default : new ValueTask(_box, _box.Version);

    /// <inheritdoc cref="Task"/>
    public static PooledBuilder<TResult> Create() => default;

    /// <inheritdoc cref="Task"/>
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    /// <inheritdoc cref="Task"/>
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    /// <inheritdoc cref="Task"/>
    public void SetResult(TResult result)
    {
        if (_box is null)
        {
            _result = result;
        }
        else
        {
            _box.SetResult(result);
        }
    }

    /// <inheritdoc cref="Task"/>
    public void SetException(Exception exception)
    {
        // A failure before the first wait has no state machine to keep; it is rare, and gets a box of its own.
        _box ??= new PooledBox<TResult>();
        _box.SetException(exception);
    }

    /// <inheritdoc cref="Task"/>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.OnCompleted(Box(ref stateMachine));

    /// <inheritdoc cref="Task"/>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.UnsafeOnCompleted(Box(ref stateMachine));

    // This builder is a field of the state machine, so it must know the box before the machine is copied into it.
    internal Action Box<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        if (_box is null)
        {
            var box = PooledBox<TResult, TStateMachine>.Rent();
            _box = box;
            box.StateMachine = stateMachine;
        }

        return _box.MoveNext;
    }
}
