using System.Net;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Listening;

/// <summary>What of a connection its filter chain is chosen by.</summary>
public readonly ref struct FilterChainInput
{
    /// <summary>Where the connection was meant for.</summary>
    public required IPEndPoint Local { get; init; }

    /// <summary>The client.</summary>
    public required IPEndPoint Remote { get; init; }

    /// <summary>The TCP peer.</summary>
    public required IPEndPoint DirectRemote { get; init; }

    /// <summary>SNI in lower case; empty without.</summary>
    public required string ServerName { get; init; }

    /// <summary>It is TLS, QUIC's apart.</summary>
    public required bool IsTls { get; init; }

    /// <summary>It is QUIC.</summary>
    public bool IsQuic { get; init; }

    /// <summary>Offered by ALPN, or seen.</summary>
    public required IReadOnlyList<string> ApplicationProtocols { get; init; }
}

/// <summary>
/// Finds the filter chain of a connection as Envoy does: the criteria in a fixed order, at each the most specific value for which there are chains, and no
/// way back. Names cost one look-up per label, however many chains there are.
/// </summary>
public sealed class FilterChainIndex
{
    private readonly Dictionary<int, NetworkLevel> _byPort = [];
    private readonly FilterChainModel? _default;

    /// <summary>An index; chains whose conditions are equal are the binder's to refuse.</summary>
    public FilterChainIndex(IReadOnlyList<FilterChainModel> chains, FilterChainModel? defaultChain)
    {
        ArgumentNullException.ThrowIfNull(chains);
        _default = defaultChain;
        foreach (var group in chains.GroupBy(chain => chain.Match.DestinationPort ?? 0))
        {
            _byPort[group.Key] = new NetworkLevel([.. group]);
        }
    }

    /// <summary>The chain; null when none takes the connection, which is then closed.</summary>
    public FilterChainModel? Find(in FilterChainInput input)
    {
        var level = _byPort.TryGetValue(input.Local.Port, out var ofPort) ? ofPort : _byPort.GetValueOrDefault(0);
        return level?.Find(input) ?? _default;
    }

    private static bool Contains(IPNetwork network, IPAddress address) =>
        network.BaseAddress.AddressFamily == address.AddressFamily && network.Contains(address);

    // Longest matching prefix among all networks of all chains; those without networks when there is none.
    private static List<FilterChainModel> MostSpecific(
        List<FilterChainModel> chains, Func<FilterChainMatchModel, IReadOnlyList<IPNetwork>> networks, IPAddress address)
    {
        var best = -1;
        var found = new List<FilterChainModel>();
        foreach (var chain in chains)
        {
            var own = networks(chain.Match);
            var length = own.Count == 0
                ? 0 : own.Where(network => Contains(network, address)).Select(network => network.PrefixLength + 1).DefaultIfEmpty(-1).Max();
            if (length > best)
            {
                best = length;
                found.Clear();
            }

            if (length == best && length >= 0)
            {
                found.Add(chain);
            }
        }

        return found;
    }

    // Chains that do not tell destinations apart, which is nearly always all of them, skip the level.
    private sealed class NetworkLevel
    {
        private readonly List<FilterChainModel> _chains;
        private readonly NameLevel? _only;

        public NetworkLevel(List<FilterChainModel> chains)
        {
            _chains = chains;
            _only = chains.TrueForAll(chain => chain.Match.DestinationNetworks.Count == 0) ? new NameLevel(chains) : null;
        }

        public FilterChainModel? Find(in FilterChainInput input) =>
            (_only ?? new NameLevel(MostSpecific(_chains, static match => match.DestinationNetworks, input.Local.Address))).Find(input);
    }

    private sealed class NameLevel
    {
        private readonly Dictionary<string, List<FilterChainModel>> _byName = new(StringComparer.Ordinal);
        private readonly Dictionary<string, List<FilterChainModel>>.AlternateLookup<ReadOnlySpan<char>> _lookup;

        public NameLevel(List<FilterChainModel> chains)
        {
            _lookup = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
            foreach (var chain in chains)
            {
                if (chain.Match.ServerNames.Count == 0)
                {
                    Add("", chain);
                }

                foreach (var name in chain.Match.ServerNames)
                {
                    // "*.example.com" is kept as ".example.com", which no exact name can be.
                    Add(name.StartsWith("*.", StringComparison.Ordinal) ? name[1..] : name, chain);
                }
            }
        }

        public FilterChainModel? Find(in FilterChainInput input)
        {
            var name = input.ServerName;
            if (name.Length > 0)
            {
                if (_byName.TryGetValue(name, out var exact))
                {
                    return FindByProtocol(exact, input);
                }

                for (var dot = name.IndexOf('.', 1); dot > 0; dot = name.IndexOf('.', dot + 1))
                {
                    if (_lookup.TryGetValue(name.AsSpan(dot), out var below))
                    {
                        return FindByProtocol(below, input);
                    }
                }
            }

            return _byName.TryGetValue("", out var any) ? FindByProtocol(any, input) : null;
        }

        private void Add(string name, FilterChainModel chain)
        {
            if (!_byName.TryGetValue(name, out var list))
            {
                _byName[name] = list = [];
            }

            list.Add(chain);
        }

        private static FilterChainModel? FindByProtocol(List<FilterChainModel> chains, in FilterChainInput input)
        {
            if (chains.Count == 1 && IsPlain(chains[0].Match))
            {
                return chains[0];
            }

            var protocol = input.IsQuic ? "quic" : input.IsTls ? "tls" : "raw_buffer";
            var left = Narrow(chains, chain => chain.Match.TransportProtocol == protocol, chain => chain.Match.TransportProtocol.Length == 0);
            var applications = input.ApplicationProtocols;
            var offered = applications.FirstOrDefault(offer => left.Exists(chain => chain.Match.ApplicationProtocols.Contains(offer)));
            left = Narrow(
                left, chain => offered is not null && chain.Match.ApplicationProtocols.Contains(offered), chain => chain.Match.ApplicationProtocols.Count == 0);
            return FindBySource(left, input);
        }

        private static FilterChainModel? FindBySource(List<FilterChainModel> left, in FilterChainInput input)
        {
            var isLocal = IPAddress.IsLoopback(input.Remote.Address) || input.Remote.Address.Equals(input.Local.Address);
            var port = input.Remote.Port;
            left = MostSpecific(left, static match => match.DirectSourceNetworks, input.DirectRemote.Address);
            var type = isLocal
                ? ListenerV3.FilterChainMatch.Types.ConnectionSourceType.SameIpOrLoopback
                : ListenerV3.FilterChainMatch.Types.ConnectionSourceType.External;
            left = Narrow(
                left, chain => chain.Match.SourceType == type,
                static chain => chain.Match.SourceType == ListenerV3.FilterChainMatch.Types.ConnectionSourceType.Any);
            left = MostSpecific(left, static match => match.SourceNetworks, input.Remote.Address);
            left = Narrow(left, chain => chain.Match.SourcePorts.Contains(port), static chain => chain.Match.SourcePorts.Count == 0);
            return left.Count > 0 ? left[0] : null;
        }

        private static bool IsPlain(FilterChainMatchModel match) =>
            match.TransportProtocol.Length == 0 && match.ApplicationProtocols.Count == 0 && match.DirectSourceNetworks.Count == 0
            && match.SourceNetworks.Count == 0
            && match.SourcePorts.Count == 0 && match.SourceType == ListenerV3.FilterChainMatch.Types.ConnectionSourceType.Any;

        private static List<FilterChainModel> Narrow(List<FilterChainModel> chains, Predicate<FilterChainModel> specific, Predicate<FilterChainModel> general)
        {
            var found = chains.FindAll(specific);
            return found.Count > 0 ? found : chains.FindAll(general);
        }
    }
}
