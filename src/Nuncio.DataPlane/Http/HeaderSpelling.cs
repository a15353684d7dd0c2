using System.Text;

namespace Nuncio.DataPlane.Http;

/// <summary>
/// How names of headers are spelled towards HTTP/1.1, where that is not lower case: as configured, or as a peer spelled them in the message at hand
/// (Envoy's <c>preserve_case</c> formatter). Names are compared without regard to case.
/// </summary>
public sealed class HeaderSpelling
{
    // A message has not more names than its limit on headers; what is beyond this is written in lower case.
    private const int MaxNames = 256;

    private readonly List<(int Start, int Length)> _names = [];
    private byte[] _bytes = [];
    private int _length;

    /// <summary>Looked at first; null for none.</summary>
    public HeaderSpelling? Configured { get; set; }

    /// <summary>Names that are not known get a capital at the start and after each character that is neither letter nor digit.</summary>
    public bool CapitalisesOthers { get; set; }

    /// <summary>Spellings that hold for all messages.</summary>
    public static HeaderSpelling Of(IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var spelling = new HeaderSpelling();
        foreach (var name in names)
        {
            spelling.Add(Encoding.ASCII.GetBytes(name));
        }

        return spelling;
    }

    /// <summary>Forgets the names, not what is configured.</summary>
    public void Clear()
    {
        _names.Clear();
        _length = 0;
    }

    /// <summary>Takes a name as a peer wrote it; of a name that comes twice the first spelling counts.</summary>
    public void Add(ReadOnlySpan<byte> name)
    {
        if (_names.Count >= MaxNames || !name.ContainsAnyInRange((byte)'A', (byte)'Z'))
        {
            return;
        }

        if (_length + name.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(256, Math.Max(_bytes.Length * 2, _length + name.Length)));
        }

        name.CopyTo(_bytes.AsSpan(_length));
        _names.Add((_length, name.Length));
        _length += name.Length;
    }

    /// <summary>Spells a name in its place; false where it is not known.</summary>
    public bool TryApply(Span<byte> name)
    {
        if (Configured is { } configured && configured.TryApply(name))
        {
            return true;
        }

        foreach (var (start, length) in _names)
        {
            var known = _bytes.AsSpan(start, length);
            if (length == name.Length && Ascii.EqualsIgnoreCase(known, name))
            {
                known.CopyTo(name);
                return true;
            }
        }

        return false;
    }
}
