using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.Planning;
using Nuncio.Resources.Collections;

namespace Nuncio.Compiler.Association;

/// <summary>
/// Finds the groups that belong to a Host (SPEC 5.2) without looking at every group for every Host: by host name, by host glob, by label.
/// </summary>
internal sealed class GroupIndex
{
    /// <summary>With more changes than this at once a new index is made.</summary>
    private const int MostReplacements = 64;

    private readonly bool _strict;
    private readonly Dictionary<string, List<int>> _exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<int>> _leading = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<int>> _trailing = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<int>> _odd = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Dictionary<string, List<int>>> _labels = new(StringComparer.Ordinal);
    private readonly List<int> _everywhere = [];
    private readonly List<int> _internal = [];
    private readonly Dictionary<string, Entry> _byHostname = new(StringComparer.Ordinal);
    private readonly Dictionary<HostPlan, Entry> _bySelector = new(ReferenceEqualityComparer.Instance);
    private readonly List<Entry> _entries = [];
    private readonly bool[] _taken;
    private ImmutableArray<RouteGroupPlan> _groups;
    private Entry? _shared;

    /// <param name="groups">In the order of routes.</param>
    /// <param name="strict">False: any one label, or the host glob alone, is enough.</param>
    public GroupIndex(ImmutableArray<RouteGroupPlan> groups, bool strict)
    {
        _groups = groups;
        _taken = new bool[groups.Length];
        _strict = strict;
        for (var i = 0; i < groups.Length; i++)
        {
            var group = groups[i];
            if (group.Internal) _internal.Add(i);
            if (group.Internal || group.HostIsRegex || group.HostGlob == "*")
            {
                _everywhere.Add(i);
                continue;
            }
            if (group.HostGlob is not { Length: > 0 } glob) continue;
            var leads = glob[0] == '*';
            var trails = glob[^1] == '*';
            var (index, key) = (leads, trails) switch
            {
                (false, false) => (_exact, glob),
                (true, false) => (_leading, glob[1..]),
                (false, true) => (_trailing, glob[..^1]),
                _ => (_odd, glob),
            };
            if (!index.TryGetValue(key, out var list)) index.Add(key, list = []);
            list.Add(i);
        }
    }

    /// <summary>The groups of a Host, in the order of routes. Hosts with the same groups often get the same array.</summary>
    public ImmutableArray<RouteGroupPlan> Of(HostPlan host)
    {
        Entry? entry;
        if (host.Selector is { } selector)
        {
            if (!_bySelector.TryGetValue(host, out entry)) _bySelector.Add(host, entry = BySelector(host.Hostname, selector));
        }
        else if (!_byHostname.TryGetValue(host.Hostname, out entry))
        {
            _byHostname.Add(host.Hostname, entry = ByHostname(host.Hostname));
        }
        return entry.Groups;
    }

    /// <summary>
    /// Takes groups in place of those before where only a few differ, and these in nothing that decides to which Hosts they belong: all other Hosts keep their
    /// arrays. False when a new index has to be made.
    /// </summary>
    public bool TryReplace(ImmutableArray<RouteGroupPlan> groups)
    {
        if (groups.Length != _groups.Length) return false;
        var changed = new List<int>();
        for (var i = 0; i < groups.Length; i++)
        {
            if (ReferenceEquals(groups[i], _groups[i])) continue;
            if (changed.Count == MostReplacements || !BelongAlike(groups[i], _groups[i])) return false;
            changed.Add(i);
        }
        _groups = groups;
        foreach (var entry in _entries)
        {
            if (changed.Exists(place => entry.Places.BinarySearch(place) >= 0)) entry.Groups = Take(entry.Places);
        }
        return true;
    }

    /// <summary>The groups that no Host took so far.</summary>
    public IEnumerable<RouteGroupPlan> Untaken()
    {
        for (var i = 0; i < _groups.Length; i++)
        {
            if (!_taken[i]) yield return _groups[i];
        }
    }

    private static bool BelongAlike(RouteGroupPlan first, RouteGroupPlan second) =>
        first.HostGlob == second.HostGlob
        && first.HostIsRegex == second.HostIsRegex
        && first.Internal == second.Internal
        && first.Labels.Equals(second.Labels);

    private Entry ByHostname(string hostname)
    {
        var own = new List<int>();
        AddCompatible(hostname, own);
        if (own.Count == 0) return _shared ??= NewEntry([.. _everywhere]);
        own.AddRange(_everywhere);
        return NewEntry(own);
    }

    private Entry NewEntry(List<int> places)
    {
        places.Sort();
        var last = -1;
        places.RemoveAll(place =>
        {
            var again = place == last;
            last = place;
            return again;
        });
        foreach (var place in places) _taken[place] = true;
        var entry = new Entry(places) { Groups = Take(places) };
        _entries.Add(entry);
        return entry;
    }

    private void AddCompatible(string hostname, List<int> found)
    {
        if (hostname.StartsWith('*') || hostname.EndsWith('*'))
        {
            AddWhere(_exact, "", "", hostname, found);
            AddWhere(_leading, "*", "", hostname, found);
            AddWhere(_trailing, "", "*", hostname, found);
            AddWhere(_odd, "", "", hostname, found);
            return;
        }
        if (_exact.TryGetValue(hostname, out var exact)) found.AddRange(exact);
        if (_odd.TryGetValue(hostname, out var odd)) found.AddRange(odd);
        if (hostname.Length == 0 || hostname[0] == '.') return;

        // A wildcard stands for at least one character, so the fixed part is shorter than the name.
        var leading = _leading.GetAlternateLookup<ReadOnlySpan<char>>();
        var trailing = _trailing.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var i = 1; i < hostname.Length; i++)
        {
            if (_leading.Count > 0 && leading.TryGetValue(hostname.AsSpan(i), out var bySuffix)) found.AddRange(bySuffix);
            if (_trailing.Count > 0 && trailing.TryGetValue(hostname.AsSpan(0, i), out var byPrefix)) found.AddRange(byPrefix);
        }
    }

    private static void AddWhere(Dictionary<string, List<int>> index, string before, string after, string hostname, List<int> found)
    {
        foreach (var (key, list) in index)
        {
            if (HostGlob.AreCompatible(hostname, before + key + after)) found.AddRange(list);
        }
    }

    private Entry BySelector(string hostname, ValueMap<string> selector)
    {
        var found = new List<int>();
        if (!_strict)
        {
            AddCompatible(hostname, found);
            found.AddRange(_everywhere);
            if (selector.Count == 0) found.AddRange(Enumerable.Range(0, _groups.Length));
            foreach (var (key, value) in selector) found.AddRange(WithLabel(key, value));
        }
        else
        {
            foreach (var i in Selected(selector))
            {
                var group = _groups[i];
                if (group.HostIsRegex || group.HostGlob is not { Length: > 0 } glob || HostGlob.AreCompatible(hostname, glob)) found.Add(i);
            }
            found.AddRange(_internal);
        }
        return NewEntry(found);
    }

    private IEnumerable<int> Selected(ValueMap<string> selector)
    {
        if (selector.Count == 0)
        {
            for (var i = 0; i < _groups.Length; i++) yield return i;
            yield break;
        }
        var (firstKey, firstValue) = selector.Entries[0];
        foreach (var i in WithLabel(firstKey, firstValue))
        {
            if (LabelMatcher.Matches(selector, _groups[i].Labels)) yield return i;
        }
    }

    private List<int> WithLabel(string key, string value)
    {
        if (!_labels.TryGetValue(key, out var values))
        {
            values = new(StringComparer.Ordinal);
            for (var i = 0; i < _groups.Length; i++)
            {
                if (!_groups[i].Labels.TryGetValue(key, out var found)) continue;
                if (!values.TryGetValue(found, out var list)) values.Add(found, list = []);
                list.Add(i);
            }
            _labels.Add(key, values);
        }
        return values.TryGetValue(value, out var with) ? with : [];
    }

    private ImmutableArray<RouteGroupPlan> Take(List<int> places)
    {
        var groups = ImmutableArray.CreateBuilder<RouteGroupPlan>(places.Count);
        foreach (var place in places) groups.Add(_groups[place]);
        return groups.MoveToImmutable();
    }

    /// <summary>The places of a Host's groups in the order of routes, and the groups that are there now.</summary>
    private sealed class Entry(List<int> places)
    {
        public List<int> Places { get; } = places;

        public ImmutableArray<RouteGroupPlan> Groups { get; set; }
    }
}
