using System.Globalization;
using System.Text;

namespace Nuncio.Compiler.Validation;

/// <summary>
/// Reads a regular expression by RE2's grammar (https://github.com/google/re2/wiki/Syntax), to say whether Envoy takes it and about how large its program is.
/// .NET's own parser is of no use here: it knows look-around and back references, which RE2 refuses, and lacks <c>\Q…\E</c>, <c>\pN</c> and <c>\z</c>'s kin.
/// </summary>
internal ref struct Re2Syntax
{
    private const int MaxRepeat = 1000;
    private const int MaxDepth = 250;

    private static readonly HashSet<string> UnicodeGroups = new(StringComparer.Ordinal)
    {
        "Any", "C", "Cc", "Cf", "Cs", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi",
        "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs", "Arabic", "Armenian", "Bengali", "Bopomofo", "Braille", "Cherokee", "Common", "Coptic",
        "Cyrillic", "Devanagari", "Ethiopic", "Georgian", "Gothic", "Greek", "Gujarati", "Gurmukhi", "Han", "Hangul", "Hebrew", "Hiragana",
        "Inherited", "Kannada", "Katakana", "Khmer", "Lao", "Latin", "Malayalam", "Mongolian", "Myanmar", "Ogham", "Oriya", "Runic", "Sinhala", "Syriac",
        "Tamil", "Telugu", "Thaana", "Thai", "Tibetan", "Yi",
    };

    private static readonly HashSet<string> PosixClasses = new(StringComparer.Ordinal)
    {
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit",
    };

    private readonly ReadOnlySpan<char> _text;
    private int _at;
    private int _depth;
    private int _groups;
    private string? _problem;

    private Re2Syntax(ReadOnlySpan<char> text) => _text = text;

    /// <summary>Why RE2 refuses the pattern; null when it does not.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="size">About the number of instructions of its program.</param>
    public static string? Check(string pattern, out int size) => Check(pattern, out size, out _);

    /// <summary>Why RE2 refuses the pattern; null when it does not.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="size">About the number of instructions of its program.</param>
    /// <param name="groups">How many groups capture what they match.</param>
    public static string? Check(string pattern, out int size, out int groups)
    {
        var parser = new Re2Syntax(pattern);
        var body = parser.Alternation();
        if (parser._problem is null && parser._at < pattern.Length)
            parser._problem = "a closing parenthesis without an opening one";
        groups = parser._groups;
        size = (int)Math.Min(int.MaxValue, (pattern.StartsWith('^') ? 1 : 4) + body);
        return parser._problem;
    }

    private readonly bool AtEnd => _problem is not null || _at >= _text.Length;

    private readonly char Peek => _text[_at];

    private long Alternation()
    {
        if (++_depth > MaxDepth)
            return Fail("it is nested too deeply");
        long size = 0;
        var branches = 0;
        ReadOnlySpan<char> previous = default;
        while (true)
        {
            var start = _at;
            size += Concatenation();
            var branch = _text[start.._at];
            if (branches > 0)
                size -= Shared(previous, branch);
            previous = branch;
            branches++;
            if (AtEnd || Peek != '|')
                break;
            _at++;
        }

        _depth--;
        return branches > 1 ? size + (branches / 2) : size;
    }

    /// <summary>RE2 factors common beginnings of neighbouring branches out.</summary>
    private static int Shared(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        var shared = 0;
        while (shared < one.Length && shared < other.Length && one[shared] == other[shared] && char.IsLetterOrDigit(one[shared]))
            shared++;
        return shared;
    }

    private long Concatenation()
    {
        long size = 0;
        while (!AtEnd && Peek != '|' && Peek != ')')
        {
            var atom = Atom(out var repeatable);
            if (_problem is not null)
                return 0;
            size += Repeated(atom, repeatable);
        }

        return size;
    }

    private long Repeated(long atom, bool repeatable)
    {
        if (AtEnd || !TryRepeat(out var min, out var max))
            return atom;
        if (!repeatable)
            return Fail("a repetition operator with nothing to repeat");
        if (!AtEnd && Peek == '?')
            _at++;
        var position = _at;
        if (!AtEnd && TryRepeat(out _, out _))
            return Fail($"two repetition operators in a row at character {position}");
        if (min > MaxRepeat || max > MaxRepeat || (max >= 0 && max < min))
            return Fail($"a repetition count above {MaxRepeat}, or out of order");
        var copies = Math.Max(min, 0) * atom;
        copies = max < 0 ? Math.Max(copies, atom) + 1 : copies + ((max - min) * (atom + 1));
        return copies > 1_000_000 ? Fail("repetitions that multiply") : copies;
    }

    /// <summary>Reads one of <c>* + ? {n} {n,} {n,m}</c>; an open brace that begins none of these is a literal.</summary>
    private bool TryRepeat(out int min, out int max)
    {
        (min, max) = (0, -1);
        switch (Peek)
        {
            case '*':
                _at++;
                return true;
            case '+':
                min = 1;
                _at++;
                return true;
            case '?':
                max = 1;
                _at++;
                return true;
            case '{':
                return TryCounts(out min, out max);
            default:
                return false;
        }
    }

    private bool TryCounts(out int min, out int max)
    {
        (min, max) = (0, -1);
        var close = _text[_at..].IndexOf('}');
        if (close < 0)
            return false;
        var body = _text.Slice(_at + 1, close - 1);
        var comma = body.IndexOf(',');
        var first = comma < 0 ? body : body[..comma];
        if (!Count(first, out min))
            return false;
        if (comma < 0)
            max = min;
        else if (comma + 1 < body.Length && !Count(body[(comma + 1)..], out max))
            return false;
        _at += close + 1;
        return true;
    }

    private static bool Count(ReadOnlySpan<char> text, out int number)
    {
        number = 0;
        if (text.IsEmpty || text.IndexOfAnyExceptInRange('0', '9') >= 0)
            return false;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number))
            number = int.MaxValue;
        return true;
    }

    private long Atom(out bool repeatable)
    {
        repeatable = true;
        var c = Peek;
        switch (c)
        {
            case '(':
                return Group(out repeatable);
            case '[':
                return Class();
            case '\\':
                return Escape();
            case '.':
                _at++;
                return 2;
            case '^' or '$':
                _at++;
                return (c == '^' && _at == 1) || (c == '$' && _at == _text.Length) ? 0 : 1;
            case '*' or '+' or '?':
                return Fail("a repetition operator with nothing to repeat");
            default:
                return Literal();
        }
    }

    private long Literal()
    {
        if (Rune.DecodeFromUtf16(_text[_at..], out var rune, out var used) != System.Buffers.OperationStatus.Done)
            return Fail("half of a surrogate pair");
        _at += used;
        return rune.Utf8SequenceLength;
    }

    private long Group(out bool repeatable)
    {
        repeatable = true;
        _at++;
        var captures = true;
        if (!AtEnd && Peek == '?')
        {
            _at++;
            if (!GroupHead(out captures, out var isFlags))
                return Fail("a group of a kind that RE2 does not know (look-around, for instance)");
            if (isFlags)
            {
                repeatable = false;
                return 0;
            }
        }

        if (captures)
            _groups++;
        var size = Alternation();
        if (_problem is not null)
            return 0;
        if (_at >= _text.Length)
            return Fail("an opening parenthesis without a closing one");
        _at++;
        return captures ? size + 2 : size;
    }

    private bool GroupHead(out bool captures, out bool isFlags)
    {
        (captures, isFlags) = (false, false);
        var rest = _text[_at..];
        if (rest.StartsWith("P<", StringComparison.Ordinal) || (rest.StartsWith("<", StringComparison.Ordinal)
            && !rest.StartsWith("<=", StringComparison.Ordinal) && !rest.StartsWith("<!", StringComparison.Ordinal)))
        {
            captures = true;
            var open = rest.IndexOf('<') + 1;
            var close = rest.IndexOf('>');
            if (close <= open)
                return false;
            foreach (var c in rest[open..close])
                if (!char.IsLetterOrDigit(c) && c != '_')
                    return false;
            _at += close + 1;
            return true;
        }

        var negated = false;
        var any = false;
        for (; !AtEnd; _at++)
        {
            switch (Peek)
            {
                case 'i' or 'm' or 's' or 'U':
                    any = true;
                    break;
                case '-' when !negated:
                    negated = true;
                    any = false;
                    break;
                case ':' when any || !negated:
                    _at++;
                    return true;
                case ')' when any:
                    _at++;
                    isFlags = true;
                    return true;
                default:
                    return false;
            }
        }

        return false;
    }

    private long Escape()
    {
        if (_at + 1 >= _text.Length)
            return Fail("a backslash at the end");
        var c = _text[_at + 1];
        switch (c)
        {
            case 'A' or 'z' or 'b' or 'B':
                _at += 2;
                return 1;
            case 'C':
                _at += 2;
                return 1;
            case 'Q':
                return Quoted();
            case 'd' or 's' or 'w':
                _at += 2;
                return c == 'w' ? 3 : 1;
            case 'D' or 'S' or 'W':
                _at += 2;
                return 3;
            case 'p' or 'P':
                return UnicodeGroup();
            default:
                return EscapedCharacter() is { } rune ? rune.Utf8SequenceLength : 0;
        }
    }

    private long Quoted()
    {
        _at += 2;
        var end = _text[_at..].IndexOf("\\E", StringComparison.Ordinal);
        var length = end < 0 ? _text.Length - _at : end;
        var size = Encoding.UTF8.GetByteCount(_text.Slice(_at, length));
        _at += end < 0 ? length : length + 2;
        return size;
    }

    private long UnicodeGroup()
    {
        var rest = _text[(_at + 2)..];
        if (rest.IsEmpty)
            return Fail("\\p without a class");
        var name = rest[..1];
        var used = 1;
        if (rest[0] == '{')
        {
            var close = rest.IndexOf('}');
            if (close < 0)
                return Fail("\\p{ without a closing brace");
            name = rest[1..close];
            used = close + 1;
        }

        var known = name.StartsWith("^", StringComparison.Ordinal) ? name[1..] : name;
        if (!UnicodeGroups.Contains(known.ToString()))
            return Fail($"\\p{{{known}}} is not a class of characters");
        _at += 2 + used;
        return 8;
    }

    private Rune? EscapedCharacter()
    {
        var c = _text[_at + 1];
        _at += 2;
        switch (c)
        {
            case 'a':
                return new Rune('\a');
            case 'f':
                return new Rune('\f');
            case 't':
                return new Rune('\t');
            case 'n':
                return new Rune('\n');
            case 'r':
                return new Rune('\r');
            case 'v':
                return new Rune('\v');
            case 'x':
                return Hexadecimal();
            case >= '1' and <= '7' when AtEnd || Peek is < '0' or > '7':
            case '8' or '9':
                Fail("a back reference");
                return null;
            case >= '0' and <= '7':
                return Octal(c);
            default:
                if (c < 0x80 && !char.IsAsciiLetterOrDigit(c))
                    return new Rune(c);
                Fail($"the escape \\{c}");
                return null;
        }
    }

    private Rune? Octal(char first)
    {
        var value = first - '0';
        for (var digits = 1; digits < 3 && !AtEnd && Peek is >= '0' and <= '7'; digits++)
            value = (value * 8) + (_text[_at++] - '0');
        return new Rune(value);
    }

    private Rune? Hexadecimal()
    {
        ReadOnlySpan<char> digits;
        if (!AtEnd && Peek == '{')
        {
            var close = _text[_at..].IndexOf('}');
            digits = close < 0 ? default : _text.Slice(_at + 1, close - 1);
            _at += Math.Max(close, 0) + 1;
        }
        else
        {
            digits = _text[_at..Math.Min(_at + 2, _text.Length)];
            if (digits.Length < 2)
                digits = default;
            _at += digits.Length;
        }

        if (int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && Rune.IsValid(value))
            return new Rune(value);
        Fail("\\x without a character's number");
        return null;
    }

    private long Class()
    {
        _at++;
        var negated = !AtEnd && Peek == '^';
        if (negated)
            _at++;
        var wide = negated;
        var first = true;
        while (!AtEnd && (first || Peek != ']'))
        {
            first = false;
            if (!ClassItem(ref wide))
                return 0;
        }

        if (_problem is not null)
            return 0;
        if (_at >= _text.Length)
            return Fail("an opening bracket without a closing one");
        _at++;
        return wide ? 2 : 1;
    }

    private bool ClassItem(ref bool wide)
    {
        var rest = _text[_at..];
        if (rest.StartsWith("[:", StringComparison.Ordinal) && rest.IndexOf(":]", StringComparison.Ordinal) is var end and > 0)
        {
            var name = rest[2..end].TrimStart('^').ToString();
            if (!PosixClasses.Contains(name))
                return Fail($"[:{name}:] is not a class of characters") != 0;
            _at += end + 2;
            return true;
        }

        if (rest[0] == '\\' && rest.Length > 1 && rest[1] is 'd' or 's' or 'w' or 'D' or 'S' or 'W')
        {
            wide |= char.IsAsciiLetterUpper(rest[1]);
            _at += 2;
            return true;
        }

        if (rest[0] == '\\' && rest.Length > 1 && rest[1] is 'p' or 'P')
        {
            wide = true;
            return UnicodeGroup() != 0;
        }

        if (ClassCharacter() is not { } low)
            return false;
        wide |= low.Value > 0x7f;
        if (_at + 1 >= _text.Length || Peek != '-' || _text[_at + 1] == ']')
            return true;
        _at++;
        if (ClassCharacter() is not { } high)
            return false;
        wide |= high.Value > 0x7f;
        return high >= low || Fail("a range of characters that is out of order") != 0;
    }

    private Rune? ClassCharacter()
    {
        if (Peek == '\\')
        {
            if (_at + 1 < _text.Length)
                return EscapedCharacter();
            Fail("a backslash at the end");
            return null;
        }

        if (Rune.DecodeFromUtf16(_text[_at..], out var rune, out var used) != System.Buffers.OperationStatus.Done)
        {
            Fail("half of a surrogate pair");
            return null;
        }

        _at += used;
        return rune;
    }

    private long Fail(string why)
    {
        _problem ??= why;
        return 0;
    }
}
