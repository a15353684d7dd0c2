namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>What kind of answer a script gets.</summary>
internal enum LuaAnswerKind : byte
{
    /// <summary>nil.</summary>
    Nil,

    /// <summary>A string, its bytes as Latin-1.</summary>
    Text,

    /// <summary>An integer.</summary>
    Number,

    /// <summary>true.</summary>
    True,

    /// <summary>An error in the script.</summary>
    Error,
}

/// <summary>What a script gets for what it asked.</summary>
internal readonly record struct LuaAnswer(LuaAnswerKind Kind, string? Text, long Number)
{
    /// <summary>nil.</summary>
    public static LuaAnswer Nil => default;

    /// <summary>true.</summary>
    public static LuaAnswer True => new(LuaAnswerKind.True, null, 0);

    /// <summary>A string.</summary>
    public static LuaAnswer Of(string? text) => text is null ? default : new(LuaAnswerKind.Text, text, 0);

    /// <summary>An integer.</summary>
    public static LuaAnswer Of(long number) => new(LuaAnswerKind.Number, null, number);

    /// <summary>An error.</summary>
    public static LuaAnswer Failed(string message) => new(LuaAnswerKind.Error, message, 0);
}
