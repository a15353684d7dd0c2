using System.Net;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>An endpoint that is wanted whatever the load balancer would say (setUpstreamOverrideHost of Lua scripts).</summary>
/// <param name="Address">Where it is.</param>
/// <param name="Strict">No other will do: where it is missing or unhealthy, the answer is 503.</param>
internal sealed record WantedEndpoint(IPEndPoint Address, bool Strict);
