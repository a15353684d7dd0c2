using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.LoadBalancing;

/// <summary>Chooses one of a fixed set of endpoints. Shared by all requests; made anew when the set or its health changes.</summary>
internal abstract class EndpointPicker
{
    /// <summary>The choice, or null where there is none.</summary>
    /// <param name="hash">The request's hash; only hashing policies look at it.</param>
    /// <param name="attempt">How often this request has asked before: a hashing policy then takes a further one.</param>
    public abstract EndpointState? Pick(ulong hash, int attempt);
}

/// <summary>There is nothing to choose from.</summary>
internal sealed class EmptyPicker : EndpointPicker
{
    public static EmptyPicker Instance { get; } = new();

    public override EndpointState? Pick(ulong hash, int attempt) => null;
}

/// <summary>There is nothing to choose between.</summary>
internal sealed class SinglePicker(EndpointState endpoint) : EndpointPicker
{
    public override EndpointState Pick(ulong hash, int attempt) => endpoint;
}

/// <summary>A place in a rotation that outlives the set it goes through.</summary>
internal sealed class RoundRobinCursor
{
    // As in Envoy the start is random: many proxies that start together should not all begin with the same endpoint.
    private uint _next = (uint)Random.Shared.Next();

    public uint Next() => Interlocked.Increment(ref _next);
}

/// <summary>One after the other.</summary>
internal sealed class RoundRobinPicker(EndpointState[] endpoints, RoundRobinCursor cursor) : EndpointPicker
{
    public override EndpointState Pick(ulong hash, int attempt) => endpoints[cursor.Next() % (uint)endpoints.Length];
}

/// <summary>Any one.</summary>
internal sealed class RandomPicker(EndpointState[] endpoints) : EndpointPicker
{
    public override EndpointState Pick(ulong hash, int attempt) => endpoints[Random.Shared.Next(endpoints.Length)];
}

/// <summary>The one with the fewest requests under way of some chosen at random.</summary>
internal sealed class LeastRequestPicker(EndpointState[] endpoints, uint choices) : EndpointPicker
{
    public override EndpointState Pick(ulong hash, int attempt)
    {
        var best = endpoints[Random.Shared.Next(endpoints.Length)];
        for (var i = 1; i < choices; i++)
        {
            var other = endpoints[Random.Shared.Next(endpoints.Length)];
            if (other.ActiveRequests < best.ActiveRequests)
            {
                best = other;
            }
        }

        return best;
    }
}
