using System.Globalization;
using System.Text;
using KeraLua;
using LuaState = KeraLua.Lua;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>The function by which a machine's scripts reach the proxy.</summary>
/// <param name="memory">The memory of the machine.</param>
/// <param name="time">By which a step is too long.</param>
internal sealed class LuaHost(LuaMemory memory, TimeProvider time)
{
    /// <summary>Between two waits. A script that takes longer holds up the requests of its machine.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromSeconds(5);

    private long _stepBegan = time.GetTimestamp();

    /// <summary>A run begins or goes on.</summary>
    public void BeginStep() => _stepBegan = time.GetTimestamp();

    /// <summary>The run that goes on; null between runs.</summary>
    public LuaRun? Run { get; set; }

    /// <summary>A value as text, numbers as Lua 5.1 writes them.</summary>
    public static string Text(LuaState state, int index)
    {
        if (state.IsBoolean(index))
        {
            return state.ToBoolean(index) ? "true" : "false";
        }

        if (state.Type(index) == LuaType.Number && !state.IsInteger(index))
        {
            return state.ToNumber(index).ToString("G14", CultureInfo.InvariantCulture);
        }

        return state.ToString(index, callMetamethod: false) ?? "";
    }

    /// <summary>What a script asks for at once. Never throws: an exception must not reach native frames.</summary>
    public int Call(nint pointer)
    {
        var state = LuaState.FromIntPtr(pointer);
        using var lifted = memory.Lift();
        try
        {
            var count = state.GetTop();
            var arguments = new string?[count];
            for (var i = 0; i < count; i++)
            {
                arguments[i] = state.IsNil(i + 1) ? null : Text(state, i + 1);
            }

            state.SetTop(0);
            if (arguments is ["late"])
            {
                state.PushBoolean(time.GetElapsedTime(_stepBegan) > LongestStep);
                return 1;
            }

            var answer = Run is { } run ? run.Call(arguments) : LuaAnswer.Failed("There is no request here.");
            switch (answer.Kind)
            {
                case LuaAnswerKind.Text:
                    state.PushBuffer(Encoding.Latin1.GetBytes(answer.Text!));
                    return 1;
                case LuaAnswerKind.Number:
                    state.PushInteger(answer.Number);
                    return 1;
                case LuaAnswerKind.True:
                    state.PushBoolean(true);
                    return 1;
                case LuaAnswerKind.Error:
                    state.PushNil();
                    state.PushString(answer.Text);
                    return 2;
                default:
                    state.PushNil();
                    return 1;
            }
        }
        catch (Exception e)
        {
            state.SetTop(0);
            state.PushNil();
            state.PushString(e.GetType().Name);
            return 2;
        }
    }
}
