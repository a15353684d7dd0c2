using Nuncio.Compiler.Tls;

namespace Nuncio.Compiler.Hosts;

/// <summary>The Hosts and the TLS contexts of a snapshot. The same object while nothing of them changes.</summary>
/// <param name="Hosts">In the order of their hostnames, then names.</param>
/// <param name="TlsContexts">By name.</param>
internal sealed record EdgePlan(ImmutableArray<HostPlan> Hosts, TlsContextCatalog TlsContexts)
{
    /// <summary>Nothing at all; replaced by the first pass that plans Hosts.</summary>
    public static EdgePlan Empty { get; } = new([], TlsContextCatalog.Empty);
}
