using System.Net;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>Finds the filter chain of a connection with the proxy's own index.</summary>
internal static class FilterChains
{
    // A client from elsewhere: chains for local peers only are then not chosen (RFC 5737).
    private static readonly IPEndPoint Client = new(IPAddress.Parse("203.0.113.1"), 40000);

    public static ListenerV3.FilterChain? Find(ListenerV3.Listener listener, ExplainRequest request, int port)
    {
        var chains = listener.FilterChains.Select(chain => (Model: Bind(chain), Message: chain)).ToArray();
        var byDefault = listener.DefaultFilterChain is { } chain ? (Model: Bind(chain), Message: chain) : default;
        var index = new FilterChainIndex([.. chains.Select(chain => chain.Model)], byDefault.Model);
        var found = index.Find(new FilterChainInput
        {
            Local = new IPEndPoint(IPAddress.Any, port),
            Remote = Client,
            DirectRemote = Client,
            ServerName = request.IsTls && request.Url.HostNameType == UriHostNameType.Dns ? request.Url.IdnHost.ToLowerInvariant() : "",
            IsTls = request.IsTls,
            ApplicationProtocols = [],
        });
        if (found is null)
            return null;
        return ReferenceEquals(found, byDefault.Model) ? byDefault.Message : Array.Find(chains, candidate => ReferenceEquals(candidate.Model, found)).Message;
    }

    private static FilterChainModel Bind(ListenerV3.FilterChain chain) =>
        new()
        {
            Key = chain.Name,
            Match = FilterChainMatchBinder.Bind(chain.FilterChainMatch, "filter_chain_match", new BindErrors()),
            Filter = Unserved.Instance,
        };

    // The index asks for what serves a chain, which explaining never does.
    private sealed class Unserved : NetworkFilterModel
    {
        public static Unserved Instance { get; } = new();

        public override ValueTask<NetworkSession?> BeginAsync(AcceptedConnection connection) => ValueTask.FromResult<NetworkSession?>(null);
    }
}
