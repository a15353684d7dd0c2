namespace Nuncio.Compiler.Validation;

/// <summary>Which header names and values can stand in a message.</summary>
internal static class HeaderRules
{
    private static readonly System.Buffers.SearchValues<char> TokenChars =
        System.Buffers.SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    /// <summary>A field name of RFC 9110, section 5.1.</summary>
    public static bool IsToken(string name) => name.Length > 0 && name.AsSpan().IndexOfAnyExcept(TokenChars) < 0;

    /// <summary>A field name, or a pseudo header's.</summary>
    public static bool IsMatchable(string name) => IsToken(name.StartsWith(':') ? name[1..] : name);

    /// <summary>A name whose header may be added or removed: Envoy refuses <c>host</c> and pseudo headers.</summary>
    public static bool IsModifiable(string name) => IsToken(name) && !name.Equals("host", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a text can be a header's value: no NUL, CR or LF.</summary>
    public static bool IsValue(string value) => value.AsSpan().IndexOfAny('\0', '\r', '\n') < 0;
}
