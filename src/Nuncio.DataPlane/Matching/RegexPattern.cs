using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Nuncio.DataPlane.Matching;

/// <summary>
/// A regular expression in RE2's syntax that must match the whole text, in time linear in the text whatever the expression is: RE2's own promise,
/// kept by .NET's non-backtracking engine.
/// </summary>
public sealed class RegexPattern
{
    private readonly Regex _regex;

    private RegexPattern(string source, Regex regex)
    {
        Source = source;
        _regex = regex;
    }

    /// <summary>The expression as it was written.</summary>
    public string Source { get; }

    /// <summary>Compiles an expression; null with the reason where RE2 (or the engine's limits) refuse it.</summary>
    public static RegexPattern? TryCreate(string source, out string error)
    {
        var regex = Compile(source, fullMatch: true, out error);
        return regex is null ? null : new RegexPattern(source, regex);
    }

    /// <summary>Whether the whole of <paramref name="bytes"/> matches.</summary>
    public bool IsMatch(ReadOnlySpan<byte> bytes)
    {
        var text = new CharBuffer(bytes, stackalloc char[CharBuffer.StackSize]);
        var matches = _regex.IsMatch(text.Text);
        text.Dispose();
        return matches;
    }

    /// <summary>Whether the whole of <paramref name="text"/> matches.</summary>
    public bool IsMatch(ReadOnlySpan<char> text) => _regex.IsMatch(text);

    internal static Regex? Compile(string source, bool fullMatch, out string error)
    {
        if (source.Length == 0)
        {
            error = "the regular expression is empty";
            return null;
        }

        if (!Re2Syntax.TryTranslate(source, out var translated, out error))
        {
            return null;
        }

        try
        {
            return RegexCache.Get(fullMatch ? $@"\A(?:{translated})\z" : translated);
        }
        catch (ArgumentException e)
        {
            error = e.Message;
        }
        catch (NotSupportedException e)
        {
            error = e.Message;
        }

        return null;
    }

    /// <inheritdoc/>
    public override string ToString() => Source;
}
