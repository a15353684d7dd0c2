using System.Runtime.CompilerServices;
using Envoy.Config.Listener.V3;

namespace Nuncio.XdsServer.Resources;

/// <summary>The route configurations that listeners name: what a client asks for once it has taken them.</summary>
internal sealed class ListenerRoutes
{
    private readonly ConditionalWeakTable<IXdsResource, string[]> _known = [];

    /// <summary>Their names, for one listener.</summary>
    public string[] Of(IXdsResource listener) =>
        _known.GetValue(listener, static resource => [.. XdsReferences.RoutesOf((Listener)resource.Message).Distinct(StringComparer.Ordinal)]);
}
