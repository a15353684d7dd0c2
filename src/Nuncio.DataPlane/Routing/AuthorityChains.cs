namespace Nuncio.DataPlane.Routing;

/// <summary>A long chain of routes with one path, cut by the host that each asks for.</summary>
internal sealed class AuthorityChains
{
    private readonly HashChains _exact;
    private readonly HashChains _suffix;
    private readonly int[] _suffixLengths;
    private readonly int _plainHead = -1;

    public AuthorityChains(RouteIndexKey[] keys, int[] next, int head)
    {
        _exact = new HashChains(next, 16);
        _suffix = new HashChains(next, 4);
        var lengths = new SortedSet<int>();
        var plainTail = -1;
        for (var position = head; position >= 0;)
        {
            var following = next[position];
            ref var key = ref keys[position];
            if (!key.HasAuthority)
            {
                next[position] = -1;
                if (plainTail < 0)
                {
                    _plainHead = position;
                }
                else
                {
                    next[plainTail] = position;
                }

                plainTail = position;
            }
            else if (key.AuthoritySuffixLength < 0)
            {
                _exact.Add(key.AuthorityHash, position);
            }
            else
            {
                _suffix.Add(key.AuthorityHash, position);
                lengths.Add(key.AuthoritySuffixLength);
            }

            position = following;
        }

        _suffixLengths = [.. lengths];
    }

    public void Collect(ReadOnlySpan<byte> authority, ref ChainHeads heads)
    {
        if (_plainHead >= 0)
        {
            heads.Add(_plainHead);
        }

        ref var exact = ref _exact.Find(PathHash.Of(authority));
        if (exact.Count != 0)
        {
            heads.Add(exact.Head);
        }

        if (_suffixLengths.Length == 0)
        {
            return;
        }

        var hash = PathHash.Seed;
        var length = 0;
        foreach (var wanted in _suffixLengths)
        {
            if (wanted > authority.Length)
            {
                return;
            }

            while (length < wanted)
            {
                hash = PathHash.Add(hash, authority[authority.Length - ++length]);
            }

            ref var suffix = ref _suffix.Find(hash);
            if (suffix.Count != 0)
            {
                heads.Add(suffix.Head);
            }
        }
    }
}
