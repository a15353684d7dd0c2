using System.Runtime.CompilerServices;

namespace Nuncio.DataPlane.Transport.Epoll;

/// <summary>
/// Awaited before work that takes a loop many times longer than what it does else, the first half of a TLS handshake for instance: the loop goes on with it
/// after what is there for those whom it serves already. Elsewhere than on a loop nothing is waited for.
/// </summary>
internal readonly struct LoopTurn : ICriticalNotifyCompletion
{
    private readonly EpollLoop? _loop;

    private LoopTurn(EpollLoop? loop) => _loop = loop;

    /// <summary>The next one of the loop whose thread this is.</summary>
    public static LoopTurn Next => new(EpollLoop.Current);

    /// <summary>This is no thread of a loop.</summary>
    public bool IsCompleted => _loop is null;

    /// <summary>Itself.</summary>
    public LoopTurn GetAwaiter() => this;

    /// <summary>Nothing.</summary>
    public void GetResult()
    {
    }

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    /// <inheritdoc/>
    public void UnsafeOnCompleted(Action continuation) => _loop!.Defer(continuation);
}
