using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Routing;

/// <summary>
/// Finds the virtual host of a request: the exact name, else the longest <c>*suffix</c>, else the longest <c>prefix*</c>, else <c>*</c>. Once
/// chosen there is no other, even where none of its routes matches.
/// </summary>
public sealed class VirtualHostIndex
{
    private readonly Dictionary<string, VirtualHostModel> _exact = new(StringComparer.Ordinal);
    private readonly Wildcards _suffixes = new();
    private readonly Wildcards _prefixes = new();
    private readonly bool _ignorePort;
    private readonly string? _header;
    private VirtualHostModel? _default;
    private bool _onlyDefault = true;

    /// <summary>An empty index.</summary>
    /// <param name="ignorePort">The port of the request's host is not looked at.</param>
    /// <param name="header">The header that is looked at instead of <c>:authority</c>, lower-case; null for that.</param>
    public VirtualHostIndex(bool ignorePort = false, string? header = null)
    {
        _ignorePort = ignorePort;
        _header = header;
    }

    /// <summary>Adds a virtual host under one of its domains, lower-case. False where that domain is taken.</summary>
    public bool TryAdd(string domain, VirtualHostModel host)
    {
        if (domain == "*")
        {
            var free = _default is null;
            _default ??= host;
            return free;
        }

        _onlyDefault = false;
        return domain.StartsWith('*') ? _suffixes.TryAdd(domain[1..], host)
            : domain.EndsWith('*') ? _prefixes.TryAdd(domain[..^1], host)
            : _exact.TryAdd(domain, host);
    }

    /// <summary>The virtual host; null for none.</summary>
    public VirtualHostModel? Find(HeaderMap headers)
    {
        if (_onlyDefault)
        {
            return _default;
        }

        ReadOnlySpan<byte> host;
        if (_header is null)
        {
            host = headers.Get(KnownHeader.Authority);
        }
        else if (!headers.TryGet(System.Text.Encoding.ASCII.GetBytes(_header), out host))
        {
            return null;
        }

        return Find(host);
    }

    /// <summary>The virtual host of a host as a client wrote it.</summary>
    public VirtualHostModel? Find(ReadOnlySpan<byte> host)
    {
        if (_ignorePort && HostPort.PortStart(host) is >= 0 and var port)
        {
            host = host[..port];
        }

        // Nothing that long is in a table of host names.
        if (host.Length > 1024)
        {
            return _default;
        }

        Span<char> text = stackalloc char[host.Length];
        for (var i = 0; i < host.Length; i++)
        {
            text[i] = (char)PathHash.ToLower(host[i]);
        }

        if (_exact.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text, out var found))
        {
            return found;
        }

        return _suffixes.Find(text, suffix: true) ?? _prefixes.Find(text, suffix: false) ?? _default;
    }

    private sealed class Wildcards
    {
        private readonly SortedDictionary<int, Dictionary<string, VirtualHostModel>> _byLength = new(Comparer<int>.Create(static (a, b) => b.CompareTo(a)));
        private (int Length, Dictionary<string, VirtualHostModel> Hosts)[] _longestFirst = [];

        public bool TryAdd(string text, VirtualHostModel host)
        {
            if (!_byLength.TryGetValue(text.Length, out var hosts))
            {
                _byLength[text.Length] = hosts = new Dictionary<string, VirtualHostModel>(StringComparer.Ordinal);
                _longestFirst = [.. _byLength.Select(pair => (pair.Key, pair.Value))];
            }

            return hosts.TryAdd(text, host);
        }

        public VirtualHostModel? Find(ReadOnlySpan<char> host, bool suffix)
        {
            foreach (var (length, hosts) in _longestFirst)
            {
                // The star stands for at least one character.
                if (length < host.Length
                    && hosts.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(suffix ? host[^length..] : host[..length], out var found))
                {
                    return found;
                }
            }

            return null;
        }
    }
}
