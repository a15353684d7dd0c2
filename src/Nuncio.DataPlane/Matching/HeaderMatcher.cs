using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Matching;

/// <summary>
/// A condition on a header (route.v3.HeaderMatcher). Of several headers of one name, one that fulfils it is enough; those of which Envoy keeps but one
/// count as one with their values joined by commas.
/// </summary>
public sealed class HeaderMatcher
{
    private readonly byte[] _name;
    private readonly KnownHeader _known;
    private readonly StringMatcher? _value;
    private readonly (long Start, long End)? _range;
    private readonly bool _present;
    private readonly bool _invert;
    private readonly bool _missingIsEmpty;
    private readonly bool _isJoined;

    /// <summary>On the value.</summary>
    public HeaderMatcher(string name, StringMatcher value, bool invert = false, bool missingIsEmpty = false)
        : this(name, value, null, false, invert, missingIsEmpty)
    {
    }

    private HeaderMatcher(string name, StringMatcher? value, (long Start, long End)? range, bool present, bool invert, bool missingIsEmpty)
    {
        Name = name.ToLowerInvariant();
        _name = Encoding.UTF8.GetBytes(Name == "host" ? ":authority" : Name);
        _known = KnownHeaders.Find(_name);
        _value = value;
        _range = range;
        _present = present;
        _invert = invert;
        _missingIsEmpty = missingIsEmpty;
        _isJoined = JoinedHeaders.Contains(Name);
    }

    /// <summary>The header, lower-case.</summary>
    public string Name { get; }

    /// <summary>The exact value that <c>:authority</c> must have for this to hold; null where it does not say that much.</summary>
    internal byte[]? RequiredAuthority =>
        _known == KnownHeader.Authority && _value is { Kind: StringMatchKind.Exact, IgnoreCase: false } && !_invert && !_missingIsEmpty
            ? _value.PatternBytes.ToArray() : null;

    /// <summary>The suffix that <c>:authority</c> must have for this to hold; null where it does not say that much.</summary>
    internal byte[]? RequiredAuthoritySuffix =>
        _known == KnownHeader.Authority && _value is { Kind: StringMatchKind.Suffix, IgnoreCase: false } && !_invert && !_missingIsEmpty
            ? _value.PatternBytes.ToArray() : null;

    /// <summary>On a decimal integer in a range, the end not included.</summary>
    public static HeaderMatcher InRange(string name, long start, long end, bool invert, bool missingIsEmpty) =>
        new(name, null, (start, end), false, invert, missingIsEmpty);

    /// <summary>On whether the header is there at all.</summary>
    public static HeaderMatcher IsPresent(string name, bool present, bool invert, bool missingIsEmpty) =>
        new(name, null, null, present, invert, missingIsEmpty);

    /// <summary>Whether the headers fulfil it.</summary>
    public bool IsMatch(HeaderMap headers)
    {
        bool found;
        ReadOnlySpan<byte> value;
        if (_known != KnownHeader.None)
        {
            found = headers.TryGet(_known, out value);
        }
        else
        {
            found = headers.TryGet(_name, out value);
        }

        if (!found && !_missingIsEmpty)
        {
            // A missing header fulfils no condition on its value, inverted or not.
            return _value is null && _range is null && _present == _invert;
        }

        if (found && headers.CountOf(_name) > 1)
        {
            return (_isJoined ? IsJoinedMatch(headers) : IsAnyMatch(headers)) != _invert;
        }

        return IsValueMatch(value) != _invert;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var not = _invert ? "not " : "";
        return _value is not null ? $"header {Name} {not}{_value}"
            : _range is { } range ? string.Create(CultureInfo.InvariantCulture, $"header {Name} {not}in [{range.Start}, {range.End})")
            : $"header {Name} {(_present != _invert ? "present" : "absent")}";
    }

    private bool IsValueMatch(ReadOnlySpan<byte> value)
    {
        if (_value is not null)
        {
            return _value.IsMatch(value);
        }

        return _range is { } range
            ? Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length && number >= range.Start && number < range.End
            : _present;
    }

    private bool IsAnyMatch(HeaderMap headers)
    {
        foreach (var header in headers)
        {
            if (header.Name.SequenceEqual(_name) && IsValueMatch(header.Value))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsJoinedMatch(HeaderMap headers)
    {
        var length = 0;
        foreach (var header in headers)
        {
            length += header.Name.SequenceEqual(_name) ? header.Value.Length + 1 : 0;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(length);
        var used = 0;
        foreach (var header in headers)
        {
            if (header.Name.SequenceEqual(_name))
            {
                if (used > 0)
                {
                    buffer[used++] = (byte)',';
                }

                header.Value.CopyTo(buffer.AsSpan(used));
                used += header.Value.Length;
            }
        }

        var matches = IsValueMatch(buffer.AsSpan(0, used));
        ArrayPool<byte>.Shared.Return(buffer);
        return matches;
    }
}
