using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.Planning;
using Nuncio.Resources.Collections;

namespace Nuncio.Compiler.Association;

/// <summary>
/// Finds the groups that belong to a Host (SPEC 5.2) without looking at every group for every Host: by host name, by host glob, by label.
/// </summary>
internal sealed class GroupIndex
{
    private readonly ImmutableArray<RouteGroupPlan> _groups;
    private readonly bool _strict;
    private readonly Dictionary<string, List<int>> _exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<int>> _leading = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<int>> _trailing = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, List<int>> _odd = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Dictionary<string, List<int>>> _labels = new(StringComparer.Ordinal);
    private readonly List<int> _everywhere = [];
    private readonly List<int> _internal = [];
    private readonly Dictionary<string, ImmutableArray<RouteGroupPlan>> _byHostname = new(StringComparer.Ordinal);
    private readonly bool[] _taken;
    private ImmutableArray<RouteGroupPlan> _shared;

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
        if (host.Selector is { } selector) return BySelector(host.Hostname, selector);
        if (!_byHostname.TryGetValue(host.Hostname, out var groups))
        {
            groups = ByHostname(host.Hostname);
            _byHostname.Add(host.Hostname, groups);
        }
        return groups;
    }

    /// <summary>The groups that no Host took so far.</summary>
    public IEnumerable<RouteGroupPlan> Untaken()
    {
        for (var i = 0; i < _groups.Length; i++)
        {
            if (!_taken[i]) yield return _groups[i];
        }
    }

    private ImmutableArray<RouteGroupPlan> ByHostname(string hostname)
    {
        var own = new List<int>();
        AddCompatible(hostname, own);
        if (own.Count == 0)
        {
            if (_shared.IsDefault) _shared = Take(_everywhere);
            return _shared;
        }
        own.AddRange(_everywhere);
        own.Sort();
        return Take(own);
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

    private ImmutableArray<RouteGroupPlan> BySelector(string hostname, ValueMap<string> selector)
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
        found.Sort();
        return Take(found);
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
            if (HasAll(_groups[i].Labels, selector)) yield return i;
        }
    }

    private static bool HasAll(ValueMap<string> labels, ValueMap<string> selector)
    {
        foreach (var (key, value) in selector)
        {
            if (!labels.TryGetValue(key, out var found) || !string.Equals(found, value, StringComparison.Ordinal)) return false;
        }
        return true;
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

    /// <summary>The groups at sorted places, each once.</summary>
    private ImmutableArray<RouteGroupPlan> Take(List<int> places)
    {
        var groups = ImmutableArray.CreateBuilder<RouteGroupPlan>(places.Count);
        var last = -1;
        foreach (var place in places)
        {
            if (place == last) continue;
            groups.Add(_groups[place]);
            _taken[place] = true;
            last = place;
        }
        return groups.ToImmutable();
    }
}
