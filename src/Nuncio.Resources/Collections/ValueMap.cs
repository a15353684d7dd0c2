using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Nuncio.Resources.Collections;

/// <summary>
/// An immutable map from names to values that keeps the order in which the user wrote the entries and is equal to another when both hold the same
/// entries in the same order. Names are compared exactly. A null reference means that the field is absent; an empty map that it was written and empty.
/// </summary>
/// <typeparam name="T">The value type, itself compared by value.</typeparam>
[SuppressMessage("Naming", "CA1710", Justification = "A map by behaviour.")]
public sealed class ValueMap<T> : IReadOnlyCollection<KeyValuePair<string, T>>, IEquatable<ValueMap<T>>
{
    // Maps of manifests are short, so a scan beats a hash table; a long one (a ConfigMap, a Secret) gets an index on first use.
    private const int ScanLimit = 8;

    private readonly ImmutableArray<KeyValuePair<string, T>> _entries;
    private Dictionary<string, int>? _index;

    internal ValueMap(ImmutableArray<KeyValuePair<string, T>> entries) => _entries = entries;

    /// <summary>The empty map.</summary>
    public static ValueMap<T> Empty { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _entries.Length;

    /// <summary>The entries in the order they were written.</summary>
    public ImmutableArray<KeyValuePair<string, T>> Entries => _entries;

    /// <summary>The value of a name; throws <see cref="KeyNotFoundException"/> when there is none.</summary>
    public T this[string name] => TryGetValue(name, out var value) ? value : throw new KeyNotFoundException(name);

    /// <summary>Looks a name up.</summary>
    public bool TryGetValue(string name, [MaybeNullWhen(false)] out T value)
    {
        var position = PositionOf(name);
        value = position < 0 ? default : _entries[position].Value;
        return position >= 0;
    }

    /// <summary>The value of a name, or the type's default when there is none.</summary>
    public T? GetValueOrDefault(string name) => TryGetValue(name, out var value) ? value : default;

    /// <summary>Whether the name is there.</summary>
    public bool ContainsKey(string name) => PositionOf(name) >= 0;

    /// <summary>Enumerates without allocating.</summary>
    public ImmutableArray<KeyValuePair<string, T>>.Enumerator GetEnumerator() => _entries.GetEnumerator();

    IEnumerator<KeyValuePair<string, T>> IEnumerable<KeyValuePair<string, T>>.GetEnumerator() =>
        ((IEnumerable<KeyValuePair<string, T>>)_entries).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable)_entries).GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(ValueMap<T>? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is null || other._entries.Length != _entries.Length)
            return false;
        for (var i = 0; i < _entries.Length; i++)
        {
            if (!string.Equals(_entries[i].Key, other._entries[i].Key, StringComparison.Ordinal)
                || !EqualityComparer<T>.Default.Equals(_entries[i].Value, other._entries[i].Value))
                return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ValueMap<T>);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var (key, value) in _entries)
        {
            hash.Add(key, StringComparer.Ordinal);
            hash.Add(value);
        }

        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => "{" + string.Join(", ", _entries.Select(e => $"{e.Key}: {e.Value}")) + "}";

    private int PositionOf(string name)
    {
        if (_entries.Length > ScanLimit)
            return (_index ??= BuildIndex()).TryGetValue(name, out var found) ? found : -1;
        for (var i = 0; i < _entries.Length; i++)
        {
            if (string.Equals(_entries[i].Key, name, StringComparison.Ordinal))
                return i;
        }

        return -1;
    }

    private Dictionary<string, int> BuildIndex()
    {
        var index = new Dictionary<string, int>(_entries.Length, StringComparer.Ordinal);
        for (var i = 0; i < _entries.Length; i++)
            index[_entries[i].Key] = i;
        return index;
    }
}

/// <summary>Makes <see cref="ValueMap{T}"/>.</summary>
public static class ValueMap
{
    /// <summary>A map of the given entries, in their order. Of entries with the same name the last value is kept, at the first one's place.</summary>
    public static ValueMap<T> Create<T>(IEnumerable<KeyValuePair<string, T>> entries)
    {
        var positions = new Dictionary<string, int>(StringComparer.Ordinal);
        var list = ImmutableArray.CreateBuilder<KeyValuePair<string, T>>();
        foreach (var entry in entries)
        {
            if (positions.TryGetValue(entry.Key, out var position))
            {
                list[position] = entry;
                continue;
            }

            positions.Add(entry.Key, list.Count);
            list.Add(entry);
        }

        return list.Count == 0 ? ValueMap<T>.Empty : new(list.ToImmutable());
    }

    /// <summary>A map of the given entries, in their order.</summary>
    public static ValueMap<T> Of<T>(params (string Name, T Value)[] entries) =>
        Create(entries.Select(e => new KeyValuePair<string, T>(e.Name, e.Value)));
}
