using Google.Protobuf.WellKnownTypes;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// What filters tell each other and the logs of one request, by namespace, which is mostly the name of the filter that wrote it (Envoy's dynamic metadata).
/// </summary>
public sealed class DynamicMetadata
{
    private readonly Dictionary<string, Struct> _namespaces = new(StringComparer.Ordinal);

    /// <summary>A namespace; null where nothing was written.</summary>
    public Struct? Find(string space) => _namespaces.GetValueOrDefault(space);

    /// <summary>All namespaces.</summary>
    public Struct All
    {
        get
        {
            var all = new Struct();
            foreach (var (space, values) in _namespaces)
            {
                all.Fields[space] = Value.ForStruct(values);
            }

            return all;
        }
    }

    /// <summary>A value, or the whole namespace as a struct where there are no keys; null for none.</summary>
    /// <param name="space">The namespace.</param>
    /// <param name="keys">From the outside to the inside.</param>
    public Value? Find(string space, ReadOnlySpan<string> keys)
    {
        if (!_namespaces.TryGetValue(space, out var found))
        {
            return null;
        }

        return keys.IsEmpty ? Value.ForStruct(found) : Find(found, keys);
    }

    /// <summary>A value within a struct; null for none.</summary>
    public static Value? Find(Struct within, ReadOnlySpan<string> keys)
    {
        ArgumentNullException.ThrowIfNull(within);
        Value? value = null;
        var inner = within;
        for (var i = 0; i < keys.Length; i++)
        {
            if (inner is null || !inner.Fields.TryGetValue(keys[i], out value))
            {
                return null;
            }

            inner = value.StructValue;
        }

        return value;
    }

    /// <summary>Writes one key of a namespace.</summary>
    public void Set(string space, string key, Value value) => Space(space).Fields[key] = value;

    /// <summary>Writes keys into a namespace; structs of one name are put together, as Envoy does.</summary>
    public void Merge(string space, Struct values)
    {
        ArgumentNullException.ThrowIfNull(values);
        Merge(Space(space), values);
    }

    private Struct Space(string space)
    {
        if (!_namespaces.TryGetValue(space, out var found))
        {
            _namespaces.Add(space, found = new Struct());
        }

        return found;
    }

    private static void Merge(Struct into, Struct values)
    {
        foreach (var (key, value) in values.Fields)
        {
            if (value.KindCase == Value.KindOneofCase.StructValue && into.Fields.TryGetValue(key, out var known)
                && known.KindCase == Value.KindOneofCase.StructValue)
            {
                Merge(known.StructValue, value.StructValue);
            }
            else
            {
                into.Fields[key] = value.Clone();
            }
        }
    }
}
