using System.Globalization;
using System.Text;

namespace Nuncio.DataPlane.Matching;

/// <summary>
/// Translates RE2's syntax to .NET's for its non-backtracking engine. Where they mean different things (<c>\d</c>, <c>\w</c>, <c>\s</c>, <c>$</c>, nested
/// brackets, escapes) RE2's meaning is written out; what RE2 does not have (look-around, back-references, atomic groups) is refused.
/// </summary>
internal sealed class Re2Syntax
{
    private const string Digits = "0-9";
    private const string Words = "0-9A-Z_a-z";
    private const string Spaces = @"\t\n\f\r ";
    private const string NotDigits = @"\u0000-/:-\uFFFF";
    private const string NotWords = @"\u0000-/:-@\[-\^`{-\uFFFF";
    private const string NotSpaces = @"\u0000-\u0008\u000B\u000E-\u001F!-\uFFFF";
    private const int MaxRepeat = 1000;

    private readonly string _source;
    private readonly StringBuilder _output = new();
    private readonly Stack<(bool Multiline, bool Ungreedy)> _groups = new();
    private int _at;
    private bool _multiline;
    private bool _ungreedy;
    private string? _error;

    private Re2Syntax(string source) => _source = source;

    /// <summary>Translates; false with the reason where RE2 refuses it or it cannot be said in .NET.</summary>
    public static bool TryTranslate(string source, out string translated, out string error)
    {
        var syntax = new Re2Syntax(source);
        syntax.Run();
        translated = syntax._output.ToString();
        error = syntax._error ?? "";
        return syntax._error is null;
    }

    /// <summary>
    /// A text that every match of the whole expression starts with; maybe empty. Only plain characters at the very start are taken, so that it
    /// is never too long.
    /// </summary>
    public static string LiteralPrefix(string source)
    {
        var depth = 0;
        for (var i = 0; i < source.Length; i++)
        {
            switch (source[i])
            {
                case '\\' when i + 1 < source.Length && source[i + 1] == 'Q':
                    return "";
                case '\\':
                    i++;
                    break;
                case '[':
                    // Inside brackets nothing matters; the end is the first ] that is not the first character.
                    for (i += i + 1 < source.Length && source[i + 1] == '^' ? 3 : 2; i < source.Length && source[i] != ']'; i++)
                    {
                        i += source[i] == '\\' ? 1 : 0;
                    }

                    break;
                case '(':
                    depth++;
                    break;
                case ')':
                    depth--;
                    break;
                case '|' when depth == 0:
                    return "";
            }
        }

        var literal = new StringBuilder();
        var at = source.StartsWith('^') ? 1 : 0;
        while (at < source.Length)
        {
            var c = source[at];
            var length = 1;
            if (c == '\\')
            {
                if (at + 1 >= source.Length || char.IsAsciiLetterOrDigit(source[at + 1]) || source[at + 1] > 0x7F)
                {
                    break;
                }

                c = source[at + 1];
                length = 2;
            }
            else if (".[](){}*+?|^$".Contains(c, StringComparison.Ordinal) || c > 0x7F)
            {
                break;
            }

            var next = at + length < source.Length ? source[at + length] : '\0';
            if (next is '*' or '?' or '{')
            {
                break;
            }

            literal.Append(c);
            at += length;
            if (next == '+')
            {
                break;
            }
        }

        return literal.ToString();
    }

    private void Run()
    {
        while (_at < _source.Length && _error is null)
        {
            var c = _source[_at++];
            switch (c)
            {
                case '\\':
                    Escape();
                    break;
                case '[':
                    Class();
                    break;
                case '(':
                    Group();
                    break;
                case ')' when _groups.Count == 0:
                    Fail("unexpected )");
                    break;
                case ')':
                    (_multiline, _ungreedy) = _groups.Pop();
                    _output.Append(')');
                    Repeat();
                    break;
                case '^':
                    _output.Append(_multiline ? "^" : @"\A");
                    break;
                case '$':
                    _output.Append(_multiline ? "$" : @"\z");
                    break;
                case '.':
                    _output.Append('.');
                    Repeat();
                    break;
                case '|':
                    _output.Append('|');
                    break;
                case '*' or '+' or '?':
                    Fail("nothing to repeat before " + c);
                    break;
                default:
                    Literal(c);
                    Repeat();
                    break;
            }
        }

        if (_groups.Count > 0)
        {
            Fail("missing )");
        }
    }

    private void Literal(int codePoint)
    {
        if (codePoint > 0xFFFF)
        {
            _output.Append("(?:").Append(char.ConvertFromUtf32(codePoint)).Append(')');
            return;
        }

        var c = (char)codePoint;
        if (char.IsHighSurrogate(c) && _at < _source.Length && char.IsLowSurrogate(_source[_at]))
        {
            _output.Append("(?:").Append(c).Append(_source[_at++]).Append(')');
        }
        else if (char.IsAsciiLetterOrDigit(c))
        {
            _output.Append(c);
        }
        else
        {
            _output.Append(CultureInfo.InvariantCulture, $"\\u{codePoint:X4}");
        }
    }

    // After an atom: at most one repetition, as in RE2.
    private void Repeat()
    {
        if (_at >= _source.Length)
        {
            return;
        }

        var c = _source[_at];
        if (c is '*' or '+' or '?')
        {
            _at++;
            _output.Append(c);
        }
        else if (c != '{' || !TryCount())
        {
            return;
        }

        var lazy = _at < _source.Length && _source[_at] == '?';
        _at += lazy ? 1 : 0;
        if (lazy != _ungreedy)
        {
            _output.Append('?');
        }

        if (_at < _source.Length && (_source[_at] is '*' or '+' or '?' || (_source[_at] == '{' && IsCount())))
        {
            Fail("bad repetition operator");
        }
    }

    private bool IsCount()
    {
        var (at, length) = (_at, _output.Length);
        var is_ = TryCount();
        _at = at;
        _output.Length = length;
        return is_;
    }

    // {n}, {n,} or {n,m}; anything else is a literal brace.
    private bool TryCount()
    {
        var end = _source.IndexOf('}', _at);
        if (end < 0)
        {
            return false;
        }

        var body = _source.AsSpan(_at + 1, end - _at - 1);
        var comma = body.IndexOf(',');
        var low = comma < 0 ? body : body[..comma];
        var high = comma < 0 ? default : body[(comma + 1)..];
        if (low.IsEmpty || low.ContainsAnyExceptInRange('0', '9') || high.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        var min = int.TryParse(low, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : int.MaxValue;
        var max = high.IsEmpty ? min : int.TryParse(high, NumberStyles.None, CultureInfo.InvariantCulture, out parsed) ? parsed : int.MaxValue;
        if (min > MaxRepeat || max > MaxRepeat || max < min)
        {
            Fail("bad repetition count");
        }

        _output.Append('{').Append(body).Append('}');
        _at = end + 1;
        return true;
    }

    private void Group()
    {
        var outer = (_multiline, _ungreedy);
        if (_at >= _source.Length || _source[_at] != '?')
        {
            _groups.Push(outer);
            _output.Append('(');
            return;
        }

        _at++;
        if (Take("P<") || Take("<"))
        {
            var end = _source.IndexOf('>', _at);
            var name = end < 0 ? "" : _source[_at..end];
            if (name.Length == 0 || !IsGroupName(name))
            {
                Fail("bad group name");
                return;
            }

            // Unnamed in .NET, which would number named groups after all others; RE2 counts them in place.
            _at = end + 1;
            _groups.Push(outer);
            _output.Append('(');
            return;
        }

        Flags(outer);
    }

    private void Flags((bool Multiline, bool Ungreedy) outer)
    {
        var on = "";
        var off = "";
        var negative = false;
        var seen = false;
        while (_at < _source.Length)
        {
            var c = _source[_at++];
            switch (c)
            {
                case 'i' or 's':
                    seen = true;
                    (on, off) = negative ? (on, off + c) : (on + c, off);
                    break;
                case 'm':
                    seen = true;
                    _multiline = !negative;
                    (on, off) = negative ? (on, off + c) : (on + c, off);
                    break;
                case 'U':
                    seen = true;
                    _ungreedy = !negative;
                    break;
                case '-' when !negative:
                    negative = true;
                    seen = false;
                    break;
                case ':' or ')' when !negative || seen:
                    var flags = off.Length > 0 ? $"{on}-{off}" : on;
                    if (c == ':')
                    {
                        _groups.Push(outer);
                        _output.Append("(?").Append(flags).Append(':');
                    }
                    else if (!seen && !negative)
                    {
                        Fail("missing argument of (?");
                    }
                    else if (flags.Length > 0)
                    {
                        _output.Append("(?").Append(flags).Append(')');
                    }

                    return;
                default:
                    Fail("(?" + c + " is not in RE2");
                    return;
            }
        }

        Fail("missing )");
    }

    private void Escape()
    {
        if (_at >= _source.Length)
        {
            Fail("trailing \\");
            return;
        }

        var c = _source[_at];
        switch (c)
        {
            case 'Q':
                _at++;
                var end = _source.IndexOf(@"\E", _at, StringComparison.Ordinal);
                var text = end < 0 ? _source.Length : end;
                while (_at < text)
                {
                    Literal(_source[_at++]);
                }

                _at = end < 0 ? _at : end + 2;
                Repeat();
                return;
            case 'E':
                _at++;
                return;
            case 'A' or 'z' or 'b' or 'B':
                _at++;
                _output.Append('\\').Append(c);
                return;
            case 'd' or 'w' or 's' or 'D' or 'W' or 'S':
                _at++;
                _output.Append(char.IsAsciiLetterUpper(c) ? "[^" : "[").Append(Perl(char.ToLowerInvariant(c))).Append(']');
                Repeat();
                return;
            case 'p' or 'P':
                _at++;
                Category(c == 'P');
                Repeat();
                return;
            default:
                if (TryCharacter(out var codePoint))
                {
                    Literal(codePoint);
                    Repeat();
                }

                return;
        }
    }

    private static string Perl(char lower) => lower switch { 'd' => Digits, 'w' => Words, _ => Spaces };

    private static string NotPerl(char lower) => lower switch { 'd' => NotDigits, 'w' => NotWords, _ => NotSpaces };

    // \pL, \p{Lu}, \p{^Lu}. Scripts have no .NET name.
    private void Category(bool negative)
    {
        var name = "";
        if (_at < _source.Length && _source[_at] == '{')
        {
            var end = _source.IndexOf('}', _at);
            if (end > 0)
            {
                name = _source[(_at + 1)..end];
                _at = end + 1;
            }
        }
        else if (_at < _source.Length)
        {
            name = _source[_at++].ToString();
        }

        if (name.StartsWith('^'))
        {
            negative = !negative;
            name = name[1..];
        }

        if (name.Length is 0 or > 2 || !"LMNPSZC".Contains(name[0], StringComparison.Ordinal))
        {
            Fail(name.Length == 0 ? "bad character class range" : $"the character class {name} is not supported: only Unicode's general categories are");
            return;
        }

        _output.Append(negative ? @"\P{" : @"\p{").Append(name).Append('}');
    }

    // One character by escape; _at is behind the backslash.
    private bool TryCharacter(out int codePoint)
    {
        var c = _source[_at++];
        codePoint = c switch { 'a' => 7, 'f' => 12, 'n' => 10, 'r' => 13, 't' => 9, 'v' => 11, _ => -1 };
        if (codePoint >= 0)
        {
            return true;
        }

        if (c == 'x')
        {
            var braced = _at < _source.Length && _source[_at] == '{';
            var start = braced ? _at + 1 : _at;
            var end = braced ? _source.IndexOf('}', _at) : Math.Min(_at + 2, _source.Length);
            if (end > start && (braced || end - start == 2)
                && int.TryParse(_source.AsSpan(start, end - start), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out codePoint)
                && codePoint is >= 0 and <= 0x10FFFF and not (>= 0xD800 and <= 0xDFFF))
            {
                _at = braced ? end + 1 : end;
                return true;
            }
        }
        else if (c is >= '0' and <= '7')
        {
            // \0 and \123 are octal; \1 alone would be a back-reference.
            var value = c - '0';
            var digits = 1;
            while (digits < 3 && _at < _source.Length && _source[_at] is >= '0' and <= '7')
            {
                value = (value * 8) + (_source[_at++] - '0');
                digits++;
            }

            if (c == '0' || digits > 1)
            {
                codePoint = value;
                return true;
            }
        }
        else if (c < 0x80 && !char.IsAsciiLetterOrDigit(c))
        {
            codePoint = c;
            return true;
        }

        Fail("invalid escape \\" + c);
        return false;
    }

    private void Class()
    {
        _output.Append('[');
        if (_at < _source.Length && _source[_at] == '^')
        {
            _at++;
            _output.Append('^');
        }

        for (var first = true; _at < _source.Length && _error is null; first = false)
        {
            var c = _source[_at];
            if (c == ']' && !first)
            {
                _at++;
                _output.Append(']');
                Repeat();
                return;
            }

            if (c == '[' && _at + 1 < _source.Length && _source[_at + 1] == ':' && TryPosix())
            {
                continue;
            }

            if (c == '\\' && _at + 1 < _source.Length && "dwsDWSpP".Contains(_source[_at + 1], StringComparison.Ordinal))
            {
                var kind = _source[_at + 1];
                _at += 2;
                if (kind is 'p' or 'P')
                {
                    Category(kind == 'P');
                }
                else
                {
                    _output.Append(char.IsAsciiLetterUpper(kind) ? NotPerl(char.ToLowerInvariant(kind)) : Perl(kind));
                }

                continue;
            }

            Range();
        }

        Fail("missing ]");
    }

    private void Range()
    {
        if (!TryClassCharacter(out var low))
        {
            return;
        }

        var high = low;
        if (_at + 1 < _source.Length && _source[_at] == '-' && _source[_at + 1] != ']')
        {
            _at++;
            if (!TryClassCharacter(out high))
            {
                return;
            }
        }

        if (high < low)
        {
            Fail("bad character class range");
        }
        else if (low > 0xFFFF)
        {
            Fail("characters above U+FFFF are not supported in a character class");
        }
        else
        {
            _output.Append(CultureInfo.InvariantCulture, $"\\u{low:X4}-\\u{Math.Min(high, 0xFFFF):X4}");
        }
    }

    private bool TryClassCharacter(out int codePoint)
    {
        if (_source[_at] == '\\')
        {
            _at++;
            if (_at < _source.Length)
            {
                return TryCharacter(out codePoint);
            }

            codePoint = 0;
            Fail("trailing \\");
            return false;
        }

        codePoint = char.IsHighSurrogate(_source[_at]) && _at + 1 < _source.Length ? char.ConvertToUtf32(_source[_at++], _source[_at]) : _source[_at];
        _at++;
        return true;
    }

    private bool TryPosix()
    {
        var end = _source.IndexOf(":]", _at + 2, StringComparison.Ordinal);
        if (end < 0)
        {
            return false;
        }

        var name = _source[(_at + 2)..end];
        var negative = name.StartsWith('^');
        var set = (negative ? name[1..] : name) switch
        {
            "alnum" => negative ? @"\u0000-/:-@\[-`{-\uFFFF" : "0-9A-Za-z",
            "alpha" => negative ? @"\u0000-@\[-`{-\uFFFF" : "A-Za-z",
            "ascii" => negative ? @"\u0080-\uFFFF" : @"\u0000-\u007F",
            "blank" => negative ? @"\u0000-\u0008\u000A-\u001F!-\uFFFF" : @"\t ",
            "cntrl" => negative ? @" -~\u0080-\uFFFF" : @"\u0000-\u001F\u007F",
            "digit" => negative ? NotDigits : Digits,
            "graph" => negative ? @"\u0000- \u007F-\uFFFF" : "!-~",
            "lower" => negative ? @"\u0000-`{-\uFFFF" : "a-z",
            "print" => negative ? @"\u0000-\u001F\u007F-\uFFFF" : " -~",
            "punct" => negative ? @"\u0000- 0-9A-Za-z\u007F-\uFFFF" : @"!-/:-@\[-`{-~",
            "space" => negative ? @"\u0000-\u0008\u000E-\u001F!-\uFFFF" : @"\t\n\v\f\r ",
            "upper" => negative ? @"\u0000-@\[-\uFFFF" : "A-Z",
            "word" => negative ? NotWords : Words,
            "xdigit" => negative ? @"\u0000-/:-@G-`g-\uFFFF" : "0-9A-Fa-f",
            _ => null,
        };
        if (set is null)
        {
            Fail($"bad character class [:{name}:]");
            return true;
        }

        _output.Append(set);
        _at = end + 2;
        return true;
    }

    private static bool IsGroupName(string name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return false;
            }
        }

        return true;
    }

    private bool Take(string text)
    {
        if (string.CompareOrdinal(_source, _at, text, 0, text.Length) != 0)
        {
            return false;
        }

        _at += text.Length;
        return true;
    }

    private void Fail(string error) => _error ??= error;
}
