using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Routing;

/// <summary>
/// Finds the first route, in the declared order, that takes a request, at a cost that does not grow with the number of routes: one pass over the
/// path finds the routes whose literal start it has, those of one path are told apart by the host they ask for, and only these are compared.
/// </summary>
public sealed class RouteIndex
{
    // Below this a chain is compared route by route.
    private const int LongChain = 8;

    private readonly RouteModel[] _routes;
    private readonly int[] _next;
    private readonly PathTable? _sensitive;
    private readonly PathTable? _insensitive;

    /// <summary>An index of routes in their order.</summary>
    public RouteIndex(RouteModel[] routes)
    {
        _routes = routes;
        _next = new int[routes.Length];
        var keys = new RouteIndexKey[routes.Length];
        var insensitive = 0;
        for (var i = 0; i < routes.Length; i++)
        {
            keys[i] = routes[i].Match.IndexKey;
            insensitive += keys[i].IgnoreCase ? 1 : 0;
        }

        if (insensitive < routes.Length)
        {
            _sensitive = new PathTable(keys, _next, ignoreCase: false, routes.Length - insensitive);
        }

        if (insensitive > 0)
        {
            _insensitive = new PathTable(keys, _next, ignoreCase: true, insensitive);
        }
    }

    /// <summary>The first route that takes the request; null for none.</summary>
    public RouteModel? Find(in RouteInput input)
    {
        var heads = new ChainHeads(stackalloc int[32]);
        var authority = input.Headers.Get(KnownHeader.Authority);
        _sensitive?.Collect(input.Path, authority, ref heads);
        _insensitive?.Collect(input.Path, authority, ref heads);
        RouteModel? found = null;
        for (var position = heads.TakeLowest(_next); position >= 0; position = heads.TakeLowest(_next))
        {
            var route = _routes[position];
            if (RouteConditions.Hold(route.Match, input))
            {
                found = route;
                break;
            }
        }

        heads.Dispose();
        return found;
    }

    private sealed class PathTable
    {
        private readonly HashChains _chains;
        private readonly bool[] _hasLength;
        private readonly bool _ignoreCase;

        public PathTable(RouteIndexKey[] keys, int[] next, bool ignoreCase, int capacity)
        {
            _ignoreCase = ignoreCase;
            _chains = new HashChains(next, capacity);
            var longest = 0;
            for (var i = 0; i < keys.Length; i++)
            {
                longest = keys[i].IgnoreCase == ignoreCase ? Math.Max(longest, keys[i].PathLength) : longest;
            }

            _hasLength = new bool[longest + 1];
            for (var i = 0; i < keys.Length; i++)
            {
                if (keys[i].IgnoreCase == ignoreCase)
                {
                    _chains.Add(keys[i].PathHash, i);
                    _hasLength[keys[i].PathLength] = true;
                }
            }

            foreach (ref var slot in _chains.Slots.AsSpan())
            {
                if (slot.Count > LongChain)
                {
                    slot.Authorities = new AuthorityChains(keys, next, slot.Head);
                }
            }
        }

        public void Collect(ReadOnlySpan<byte> path, ReadOnlySpan<byte> authority, ref ChainHeads heads)
        {
            var hash = PathHash.Seed;
            var longest = Math.Min(path.Length, _hasLength.Length - 1);
            for (var length = 0; ; length++)
            {
                if (_hasLength[length])
                {
                    ref var slot = ref _chains.Find(hash);
                    if (slot.Authorities is { } authorities)
                    {
                        authorities.Collect(authority, ref heads);
                    }
                    else if (slot.Count != 0)
                    {
                        heads.Add(slot.Head);
                    }
                }

                if (length == longest)
                {
                    return;
                }

                hash = PathHash.Add(hash, _ignoreCase ? PathHash.ToLower(path[length]) : path[length]);
            }
        }
    }
}
