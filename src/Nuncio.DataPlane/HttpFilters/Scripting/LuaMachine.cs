using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using KeraLua;
using LuaState = KeraLua.Lua;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>
/// One Lua state with a filter's script. Runs of many requests may wait in it at once, each a coroutine; one at a time goes on, under the machine's lock.
/// </summary>
/// <remarks>
/// Nothing managed ever raises a Lua error, since that would jump over managed frames: what the script asks for gives a value or a message, and the
/// prelude raises it.
/// </remarks>
internal sealed class LuaMachine : IDisposable
{
    /// <summary>Of one run, some hundred milliseconds.</summary>
    private const int MaxInstructions = 20_000_000;

    private const long MaxBytes = 64 * 1024 * 1024;

    private static readonly byte[] Prelude = ReadPrelude();

    private readonly Lock _gate = new();
    private readonly LuaState _state;

    // What native code calls, up to and in the close of the state: finalizers run in any order, so only a handle keeps it alive until then.
    private readonly GCHandle _callbacks;
    private readonly LuaHost _host;
    private readonly LuaMemory _memory;
    private readonly int _start;
    private bool _closed;

    private LuaMachine(LuaState state, LuaAlloc allocate, LuaMemory memory, TimeProvider time)
    {
        _state = state;
        _memory = memory;
        _host = new LuaHost(memory, time);
        LuaFunction host = _host.Call;
        _callbacks = GCHandle.Alloc(new Delegate[] { allocate, host });
        state.Encoding = Encoding.Latin1;
        state.OpenLibs();
        if (state.LoadBuffer(Prelude, "=prelude", "t") != LuaStatus.OK)
        {
            throw new InvalidOperationException(state.ToString(-1));
        }

        state.PushCFunction(host);
        state.PushInteger(MaxInstructions);
        if (state.PCall(2, 2, 0) != LuaStatus.OK)
        {
            throw new InvalidOperationException(state.ToString(-1));
        }

        // The function that loads a script stays on the stack for TryCreate.
        state.Insert(-2);
        _start = state.Ref(LuaRegistry.Index);
    }

    /// <summary>A machine that has loaded a script; null with why it does not load.</summary>
    public static LuaMachine? TryCreate(byte[] script, TimeProvider time, out string error)
    {
        var memory = new LuaMemory(MaxBytes);
        LuaAlloc allocate = memory.Allocate;
        var machine = new LuaMachine(new LuaState(allocate, 0), allocate, memory, time);
        memory.BeginStep();
        machine._host.BeginStep();
        using (memory.Lift())
        {
            machine._state.PushBuffer(script);
        }

        if (machine._state.PCall(1, 0, 0) == LuaStatus.OK)
        {
            error = "";
            return machine;
        }

        using (memory.Lift())
        {
            error = LuaHost.Text(machine._state, -1);
        }

        machine.Dispose();
        return null;
    }

    /// <summary>Begins a function of the script for a request; Done where the script has no such function.</summary>
    public LuaRunState Start(LuaRun run, string function)
    {
        lock (_gate)
        {
            _memory.BeginStep();
            _host.BeginStep();
            using (_memory.Lift())
            {
                _state.RawGetInteger(LuaRegistry.Index, _start);
                _state.PushString(function);
            }

            if (_state.PCall(1, 1, 0) != LuaStatus.OK)
            {
                return Fail(run, _state);
            }

            if (!_state.IsThread(-1))
            {
                _state.Pop(1);
                return LuaRunState.Done;
            }

            run.Thread = _state.ToThread(-1);
            run.Thread.Encoding = Encoding.Latin1;
            using (_memory.Lift())
            {
                run.Reference = _state.Ref(LuaRegistry.Index);
            }

            return Step(run, 0);
        }
    }

    /// <summary>Goes on with what the script waited for.</summary>
    /// <param name="run">The run.</param>
    /// <param name="value">What it gets.</param>
    /// <param name="error">Or why it does not; null for a value.</param>
    public LuaRunState Resume(LuaRun run, bool value, string? error)
    {
        lock (_gate)
        {
            if (run.Thread is null)
            {
                return LuaRunState.Done;
            }

            _memory.BeginStep();
            _host.BeginStep();
            using (_memory.Lift())
            {
                run.Thread.PushBoolean(value);
                if (error is not null)
                {
                    run.Thread.PushString(error);
                }
            }

            return Step(run, error is null ? 1 : 2);
        }
    }

    /// <summary>The run is over, however far it came.</summary>
    public void End(LuaRun run)
    {
        lock (_gate)
        {
            Release(run);
        }
    }

    /// <summary>A filter that left the configuration lets go of its machines.</summary>
    ~LuaMachine() => Close();

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            Close();
        }

        GC.SuppressFinalize(this);
    }

    private void Close()
    {
        if (!_closed)
        {
            _closed = true;
            _state.Dispose();
            _callbacks.Free();
        }
    }

    private static byte[] ReadPrelude()
    {
        using var prelude = new MemoryStream();
        foreach (var part in (ReadOnlySpan<string>)["Limits", "Language", "Handle"])
        {
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Nuncio.DataPlane.HttpFilters.Scripting.{part}.lua")!;
            stream.CopyTo(prelude);
        }

        return prelude.ToArray();
    }

    private LuaRunState Step(LuaRun run, int arguments)
    {
        _host.Run = run;
        var thread = run.Thread!;
        var status = thread.Resume(_state, arguments, out var results);
        _host.Run = null;
        using var lifted = _memory.Lift();
        switch (status)
        {
            case LuaStatus.Yield:
                var request = new string[results];
                for (var i = 0; i < results; i++)
                {
                    var index = thread.GetTop() - results + 1 + i;
                    request[i] = LuaHost.Text(thread, index);
                }

                thread.Pop(results);
                run.Request = request;
                return LuaRunState.Waiting;
            case LuaStatus.OK:
                Release(run);
                return LuaRunState.Done;
            default:
                run.Error = LuaHost.Text(thread, -1);
                Release(run);
                return LuaRunState.Failed;
        }
    }

    private LuaRunState Fail(LuaRun run, LuaState state)
    {
        using var lifted = _memory.Lift();
        run.Error = LuaHost.Text(state, -1);
        state.Pop(1);
        return LuaRunState.Failed;
    }

    private void Release(LuaRun run)
    {
        if (run.Thread is null)
        {
            return;
        }

        run.Thread = null;
        _state.Unref(LuaRegistry.Index, run.Reference);
    }
}
