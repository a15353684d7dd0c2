using System.Collections;

namespace Nuncio.Grpc;

/// <summary>
/// Headers or trailers of a call in their order; a name may occur more than once. Names are lower case; values of names that end in <c>-bin</c> are Base64
/// as on the wire (<see cref="GetBytes"/> decodes them).
/// </summary>
public sealed class GrpcMetadata : IEnumerable<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>>? _entries;

    /// <summary>None yet.</summary>
    public GrpcMetadata() => _entries = [];

    private GrpcMetadata(List<KeyValuePair<string, string>>? entries) => _entries = entries;

    /// <summary>None, and none can be added.</summary>
    public static GrpcMetadata Empty { get; } = new(entries: null);

    /// <summary>How many.</summary>
    public int Count => _entries?.Count ?? 0;

    /// <summary>One of them.</summary>
    public KeyValuePair<string, string> this[int index] => _entries![index];

    /// <summary>Adds one more.</summary>
    /// <exception cref="InvalidOperationException">This is <see cref="Empty"/>.</exception>
    public void Add(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        if (_entries is null) throw new InvalidOperationException("The empty metadata is shared.");
        _entries.Add(new(name.ToLowerInvariant(), value));
    }

    /// <summary>Adds bytes; the name must end in <c>-bin</c>.</summary>
    public void Add(string name, ReadOnlySpan<byte> value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!name.EndsWith("-bin", StringComparison.OrdinalIgnoreCase)) throw new ArgumentException("Names of bytes end in -bin.", nameof(name));
        Add(name, Convert.ToBase64String(value).TrimEnd('='));
    }

    /// <summary>The first value of a name; null where there is none.</summary>
    public string? Get(string name)
    {
        for (var i = 0; i < Count; i++)
        {
            if (string.Equals(_entries![i].Key, name, StringComparison.OrdinalIgnoreCase)) return _entries[i].Value;
        }

        return null;
    }

    /// <summary>The first value of a name that ends in <c>-bin</c>, decoded; null where there is none or it is not Base64.</summary>
    public byte[]? GetBytes(string name)
    {
        if (Get(name) is not { } text) return null;
        var padded = (text.Length % 4) switch { 2 => text + "==", 3 => text + "=", _ => text };
        var bytes = new byte[padded.Length];
        return Convert.TryFromBase64String(padded, bytes, out var written) ? bytes[..written] : null;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => (_entries ?? []).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
