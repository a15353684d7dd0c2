using System.Text;
using System.Text.RegularExpressions;
using KeraLua;

namespace Nuncio.Compiler.Validation;

/// <summary>Whether a script is Lua as Envoy has it. It is parsed and not run.</summary>
internal static partial class LuaRules
{
    /// <summary>Why it does not load; null where it does.</summary>
    public static string? Problem(string script)
    {
        // Envoy's Lua ends with the first NUL, which would hide the rest of the script from a reader.
        if (script.Contains('\0', StringComparison.Ordinal)) return "it holds a NUL";
        using var state = new Lua(openLibs: false);
        if (state.LoadBuffer(Encoding.UTF8.GetBytes(script), "=script", "t") != LuaStatus.OK) return state.ToString(-1);

        // The parser is that of Lua 5.4; an Envoy would refuse the whole listener.
        foreach (Match match in Tokens().Matches(script))
        {
            if (!match.Groups["later"].Success) continue;
            var line = 1 + script.AsSpan(0, match.Index).Count('\n');
            return $"script:{line}: Lua 5.1 has no '{match.Value}'";
        }

        return null;
    }

    // Comments and texts come first, so that what they hold is passed over.
    [GeneratedRegex(
        """--\[(?<a>=*)\[.*?\]\k<a>\]|--[^\n]*|\[(?<b>=*)\[.*?\]\k<b>\]|"(?:\\z\s*|\\\r?\n|\\.|[^"\\])*"|'(?:\\z\s*|\\\r?\n|\\.|[^'\\])*'"""
        + """|~=|(?<later><\s*(?:const|close)\s*>|//|<<|>>|[&|~])""",
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Tokens();
}
