using KeraLua;

namespace Nuncio.Compiler.Validation;

/// <summary>Whether a script is Lua. It is parsed and not run.</summary>
internal static class LuaRules
{
    /// <summary>Why it does not parse; null where it does.</summary>
    public static string? Problem(string script)
    {
        // Envoy's Lua ends with the first NUL, which would hide the rest of the script from a reader.
        if (script.Contains('\0', StringComparison.Ordinal))
            return "it holds a NUL";
        using var state = new Lua(openLibs: false);
        return state.LoadBuffer(System.Text.Encoding.UTF8.GetBytes(script), "=script", "t") == LuaStatus.OK ? null : state.ToString(-1);
    }
}
